//! A control group around a server, to count what all its processes use together: those of ended
//! cells as well. Version 1 only; elsewhere `None`, and CPU time is estimated from `/proc`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

const MOUNT: &str = "/sys/fs/cgroup";

/// One group of the `cpuacct` hierarchy, and one of `memory` where that is asked for.
#[derive(Debug)]
pub struct Group {
    cpu: PathBuf,
    memory: Option<PathBuf>,
}

/// Memory that the kernel has counted for a group and all below it, in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct GroupMemory {
    /// Anonymous memory.
    pub rss: u64,
    /// What the kernel itself holds for the processes, page tables included.
    pub kernel: u64,
}

impl Group {
    /// Makes the groups, below those of this process; `None` where that cannot be done.
    pub fn make(name: &str, with_memory: bool) -> Option<Self> {
        let name = format!("cellblock-bench-{}-{name}", std::process::id());
        let cpu = make(&own("cpuacct")?.join(&name))?;
        let memory = with_memory
            .then(|| make(&own("memory")?.join(&name)))
            .flatten();
        Some(Self { cpu, memory })
    }

    /// Lets a program begin its life in the groups.
    pub fn around(group: Option<&Self>, program: &Path) -> Command {
        let Some(group) = group else {
            return Command::new(program);
        };
        let mut command = Command::new("/bin/sh");
        let script =
            "while [ \"$1\" != -- ]; do echo $$ >\"$1\" || exit 1; shift; done; shift; exec \"$@\"";
        command.args(["-c", script, "sh"]);
        let homes = std::iter::once(&group.cpu).chain(&group.memory);
        command.args(homes.map(|home| home.join("cgroup.procs")));
        command.arg("--").arg(program);
        command
    }

    /// CPU time of everything that ever was in the group.
    pub fn cpu(&self) -> Option<Duration> {
        Some(Duration::from_nanos(number(
            &self.cpu.join("cpuacct.usage"),
        )?))
    }

    /// Memory of everything that is in the group.
    pub fn memory(&self) -> Option<GroupMemory> {
        let home = self.memory.as_ref()?;
        let stat = fs::read_to_string(home.join("memory.stat")).ok()?;
        let line = stat
            .lines()
            .find_map(|line| line.strip_prefix("total_rss "))?;
        Some(GroupMemory {
            rss: line.trim().parse().ok()?,
            kernel: number(&home.join("memory.kmem.usage_in_bytes"))?,
        })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // The kernel takes a moment to let go of processes that have ended.
        for home in std::iter::once(&self.cpu).chain(&self.memory) {
            for _ in 0..100 {
                if remove(home) {
                    break;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

/// Removes a group and those that a server made in it and left behind.
fn remove(home: &Path) -> bool {
    for entry in fs::read_dir(home).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove(&entry.path());
        }
    }
    fs::remove_dir(home).is_ok()
}

fn make(home: &Path) -> Option<PathBuf> {
    fs::create_dir(home).ok()?;
    Some(home.to_owned())
}

/// The group of this process in a hierarchy of version 1.
fn own(controller: &str) -> Option<PathBuf> {
    let own = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = own.lines().find_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        controllers
            .split(',')
            .any(|name| name == controller)
            .then_some(path)
    })?;
    Some(
        Path::new(MOUNT)
            .join(controller)
            .join(path.trim_start_matches('/')),
    )
}

fn number(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}
