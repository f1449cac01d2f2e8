//! Where groups can be made: the hierarchies that this process is in.

use std::{
    fs, io,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use rustix::{
    fs::{FlockOperation, Mode, OFlags, flock, open},
    io::Errno,
};

use super::{GroupsError, unified};

/// Where version 1 and 2 are mounted by convention. cgroups(7)
const MOUNT: &str = "/sys/fs/cgroup";
/// Name of the directory that holds a server's groups, followed by its pid and a number.
const PREFIX: &str = "cellblock-";

/// The two versions of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// One hierarchy per controller.
    One,
    /// One hierarchy for all.
    Two,
}

/// This server's own directory in each hierarchy that it uses.
#[derive(Debug)]
pub struct Hierarchies {
    version: Version,
    /// Controller, and the directory that this server makes.
    homes: Vec<(&'static str, PathBuf)>,
    /// Held for as long as the directories are used: see [`lock`].
    locks: Vec<OwnedFd>,
}

/// Version 1 controllers that are used where they can be; memory is required.
const CONTROLLERS: [&str; 4] = ["memory", "pids", "cpuacct", "cpu"];

impl Hierarchies {
    /// Looks at the groups that this process is in.
    pub(super) fn find() -> Result<Self, GroupsError> {
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let name = own_name();
        let homes: Vec<_> = CONTROLLERS
            .into_iter()
            .filter_map(|controller| {
                Some((controller, version_one_home(&own, controller)?.join(&name)))
            })
            .collect();
        if homes.iter().any(|(controller, _)| *controller == "memory") {
            return Ok(Self {
                version: Version::One,
                homes,
                locks: Vec::new(),
            });
        }
        let path = own.lines().find_map(|line| line.strip_prefix("0::"));
        let root = Path::new(MOUNT);
        match path {
            Some(path) if unified::listed(root, "cgroup.controllers") => {
                let own = root.join(path.trim_start_matches('/'));
                let home = unified::parent(root, &own).join(name);
                Ok(Self {
                    version: Version::Two,
                    homes: vec![("memory", home)],
                    locks: Vec::new(),
                })
            }
            _ => Err(GroupsError::NoMemoryController),
        }
    }

    /// Below a given group of version 2.
    pub(super) fn below(parent: &Path) -> Self {
        let home = parent.join(own_name());
        Self {
            version: Version::Two,
            homes: vec![("memory", home)],
            locks: Vec::new(),
        }
    }

    pub(super) fn version(&self) -> Version {
        self.version
    }

    /// Makes this server's directories, after removing those of servers that are gone. In version
    /// 1 only memory is required; without a pids group the resource limit still holds.
    pub(super) fn prepare(&mut self) -> Result<(), GroupsError> {
        for (controller, home) in &self.homes {
            if let Some(parent) = home.parent() {
                remove_stale(parent);
                if self.version == Version::Two {
                    unified::delegate(parent)?;
                }
            }
            match make_locked(home) {
                Ok(lock) => self.locks.push(lock),
                Err(_) if *controller != "memory" => continue,
                Err(source) => {
                    return Err(GroupsError::Refused {
                        path: home.clone(),
                        source,
                    });
                }
            }
            if self.version == Version::Two {
                unified::give(home)?;
            }
        }
        Ok(())
    }

    /// The directories in which a cell's groups go, by controller.
    pub(super) fn homes(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        let exists = |home: &&(&'static str, PathBuf)| home.1.is_dir();
        self.homes
            .iter()
            .filter(exists)
            .map(|(controller, home)| (*controller, home.as_path()))
    }

    /// The name of this server's directories.
    pub(super) fn name(&self) -> Option<&str> {
        self.homes.first()?.1.file_name()?.to_str()
    }

    /// Removes this server's directories with all groups in them; whether they are gone. They are not while
    /// a process is in one.
    pub(super) fn remove(&self) -> bool {
        for (_, home) in &self.homes {
            remove_home(home);
        }
        self.homes.iter().all(|(_, home)| !home.exists())
    }
}

fn version_one_home(own: &str, controller: &str) -> Option<PathBuf> {
    let path = own.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let listed = fields.next()?.split(',').any(|name| name == controller);
        listed.then(|| fields.next()).flatten()
    })?;
    let mount = Path::new(MOUNT).join(controller);
    let home = mount.join(path.trim_start_matches('/'));
    // In a container the path is that of the host, and the mount shows the container's own group.
    if home.is_dir() {
        Some(home)
    } else {
        mount.is_dir().then_some(mount)
    }
}

/// The process id alone does not tell servers apart: those of two containers may share a hierarchy.
fn own_name() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let nanoseconds = now.map_or(0, |now| now.subsec_nanos());
    format!("{PREFIX}{}-{nanoseconds}", std::process::id())
}

/// Makes a directory and locks it before somebody takes it for one that was left behind.
pub(super) fn make_locked(home: &Path) -> io::Result<OwnedFd> {
    loop {
        match fs::create_dir(home) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        match lock(home, FlockOperation::NonBlockingLockShared) {
            Ok(lock) if home.is_dir() => return Ok(lock),
            // It was removed meanwhile.
            Ok(_) | Err(Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Locks a directory. Its server holds a shared lock for as long as it lives, by which others know
/// that it does: they may be in other pid namespaces and not see its process. flock(2)
fn lock(directory: &Path, how: FlockOperation) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = open(directory, flags, Mode::empty())?;
    flock(&directory, how)?;
    Ok(directory)
}

/// Removes the directories of servers that are gone: those that nobody holds a lock of.
fn remove_stale(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        if is_home(&entry.path()) {
            remove_unheld(&entry.path());
        }
    }
}

/// Whether a directory is named as one that holds a server's groups.
pub(super) fn is_home(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let number = name.and_then(|name| name.strip_prefix(PREFIX));
    number.is_some_and(|number| number.starts_with(|c: char| c.is_ascii_digit()))
}

/// Removes a server's directory, if that server is gone.
pub(super) fn remove_unheld(home: &Path) {
    if let Ok(_lock) = lock(home, FlockOperation::NonBlockingLockExclusive) {
        remove_home(home);
    }
}

fn remove_home(home: &Path) {
    for group in fs::read_dir(home).into_iter().flatten().flatten() {
        // Its files are the kernel's, and are no directories.
        let _ = fs::remove_dir(group.path());
    }
    let _ = fs::remove_dir(home);
}

/// Writes one control file.
pub(super) fn write(group: &Path, file: &str, value: &str) -> Result<(), GroupsError> {
    let path = group.join(file);
    fs::write(&path, value).map_err(|source| GroupsError::Refused { path, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_holds_is_removed() {
        let parent = tempfile::tempdir().unwrap();
        let path = |name: &str| parent.path().join(name);
        // Of a process that is not seen here, as one in another pid namespace.
        let held = path("cellblock-4194305-1");
        let lock = make_locked(&held).unwrap();
        fs::create_dir(held.join("cell-1")).unwrap();
        for name in [
            "cellblock-4194305-2",
            "cellblock-7",
            "cellblock-server",
            "other",
        ] {
            fs::create_dir(path(name)).unwrap();
        }
        let left = || {
            let entries = fs::read_dir(parent.path()).unwrap().flatten();
            let mut names: Vec<_> = entries.map(|entry| entry.file_name()).collect();
            names.sort();
            names
        };
        remove_stale(parent.path());
        assert_eq!(left(), ["cellblock-4194305-1", "cellblock-server", "other"]);
        assert!(held.join("cell-1").exists());
        drop(lock);
        remove_stale(parent.path());
        assert_eq!(left(), ["cellblock-server", "other"]);
    }

    #[test]
    fn a_controller_is_found_among_the_lines_of_proc_self_cgroup() {
        let own = "9:name=systemd:/\n5:cpu,cpuacct:/no/such/group\n0::/user.slice\n";
        assert_eq!(version_one_home(own, "memory"), None);
        // The group does not exist here, so the mount itself is taken, if there is one.
        let mount = Path::new(MOUNT).join("cpuacct");
        assert_eq!(
            version_one_home(own, "cpuacct"),
            mount.is_dir().then_some(mount)
        );
    }
}
