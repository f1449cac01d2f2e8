//! Where groups can be made: the hierarchies that this process is in.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{GroupsError, unified};

/// Where version 1 and 2 are mounted by convention. cgroups(7)
const MOUNT: &str = "/sys/fs/cgroup";
/// Name of the directory that holds a server's groups, followed by its pid.
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
}

/// Version 1 controllers that are used where they can be; memory is required.
const CONTROLLERS: [&str; 4] = ["memory", "pids", "cpuacct", "cpu"];

impl Hierarchies {
    /// Looks at the groups that this process is in.
    pub(super) fn find() -> Result<Self, GroupsError> {
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let name = format!("{PREFIX}{}", std::process::id());
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
                })
            }
            _ => Err(GroupsError::NoMemoryController),
        }
    }

    /// Below a given group of version 2.
    pub(super) fn below(parent: &Path) -> Self {
        let home = parent.join(format!("{PREFIX}{}", std::process::id()));
        Self {
            version: Version::Two,
            homes: vec![("memory", home)],
        }
    }

    pub(super) fn version(&self) -> Version {
        self.version
    }

    /// Makes this server's directories, after removing those of servers that are gone. In version
    /// 1 only memory is required; without a pids group the resource limit still holds.
    pub(super) fn prepare(&self) -> Result<(), GroupsError> {
        for (controller, home) in &self.homes {
            if let Some(parent) = home.parent() {
                remove_stale(parent);
                if self.version == Version::Two {
                    unified::delegate(parent)?;
                }
            }
            match fs::create_dir(home) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
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

    /// Removes this server's directories, which must be empty of groups.
    pub(super) fn remove(&self) {
        for (_, home) in &self.homes {
            let _ = fs::remove_dir(home);
        }
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

/// Removes the directories of servers that are gone. One that is still in use refuses.
fn remove_stale(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else {
            continue;
        };
        if pid.parse::<u32>().is_ok() && !Path::new("/proc").join(pid).exists() {
            for group in fs::read_dir(entry.path()).into_iter().flatten().flatten() {
                let _ = fs::remove_dir(group.path());
            }
            let _ = fs::remove_dir(entry.path());
        }
    }
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
