//! What `/proc` tells of processes. proc(5)

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

/// One process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// Its parent's.
    pub parent: u32,
    /// The first letter of its state: `Z` is a zombie.
    pub state: char,
    /// Its short name.
    pub name: String,
}

/// All processes, by id.
pub fn all() -> HashMap<u32, Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| Some((pid, read(pid)?))).collect()
}

fn read(pid: u32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (head, tail) = stat.rsplit_once(')')?;
    let mut fields = tail.split_ascii_whitespace();
    Some(Process {
        pid,
        state: fields.next()?.chars().next()?,
        parent: fields.next()?.parse().ok()?,
        name: head.split_once('(')?.1.to_owned(),
    })
}

/// A process and all that descend from it.
pub fn tree(root: u32) -> Vec<Process> {
    let all = all();
    let mut found: Vec<Process> = all.get(&root).cloned().into_iter().collect();
    let mut next = 0;
    while let Some(parent) = found.get(next).map(|process| process.pid) {
        found.extend(
            all.values()
                .filter(|process| process.parent == parent)
                .cloned(),
        );
        next += 1;
    }
    found
}

/// The zygotes of a server: what nsjail started for it.
pub fn zygotes(server: u32) -> Vec<u32> {
    let tree = tree(server);
    let jails: Vec<u32> = tree
        .iter()
        .filter(|process| process.parent == server && process.name == "nsjail")
        .map(|process| process.pid)
        .collect();
    let zygotes = tree
        .iter()
        .filter(|process| jails.contains(&process.parent));
    zygotes.map(|process| process.pid).collect()
}

/// A field of a file such as `/proc/PID/status` in bytes, which the file gives in kB.
pub fn kilobytes(pid: u32, file: &str, field: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    Some(line.split_ascii_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

/// How many entries one of a process' directories has, such as `fd` and `task`.
pub fn entries(pid: u32, directory: &str) -> usize {
    fs::read_dir(format!("/proc/{pid}/{directory}")).map_or(0, Iterator::count)
}

/// How many mounts there are in a process' mount namespace.
pub fn mounts(pid: u32) -> usize {
    fs::read_to_string(format!("/proc/{pid}/mountinfo")).map_or(0, |text| text.lines().count())
}

/// The control groups that a server made for its cells: the directories named after it.
pub fn groups(server: u32) -> usize {
    let own = fs::read_to_string(format!("/proc/{server}/cgroup")).unwrap_or_default();
    let homes = own.lines().filter_map(|line| group_home(line, server));
    homes
        .map(|home| fs::read_dir(home).into_iter().flatten().flatten())
        .flat_map(|entries| entries.filter(|entry| entry.path().is_dir()))
        .count()
}

fn group_home(line: &str, server: u32) -> Option<PathBuf> {
    let (_, rest) = line.split_once(':')?;
    let (controllers, path) = rest.split_once(':')?;
    let mount = Path::new("/sys/fs/cgroup");
    let mount = match controllers {
        "" => mount.to_owned(),
        name => mount.join(name.trim_start_matches("name=")),
    };
    let start = format!("cellblock-{server}-");
    let groups = fs::read_dir(mount.join(path.trim_start_matches('/'))).ok()?;
    let mut names = groups.flatten().filter(|group| {
        let name = group.file_name();
        name.to_string_lossy().starts_with(&start)
    });
    names.next().map(|home| home.path())
}

/// CPU time of these processes themselves, without children that have ended, in seconds.
pub fn cpu_seconds(pids: impl IntoIterator<Item = u32>) -> f64 {
    let stats = pids
        .into_iter()
        .filter_map(|pid| fs::read_to_string(format!("/proc/{pid}/stat")).ok());
    let ticks: u32 = stats.filter_map(|stat| own_ticks(&stat)).sum();
    f64::from(ticks) / 100.0 // USER_HZ, which is 100 wherever this runs
}

fn own_ticks(stat: &str) -> Option<u32> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    Some(fields.next()?.parse::<u32>().ok()? + fields.next()?.parse::<u32>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_seen() {
        let me = std::process::id();
        let tree = tree(me);
        assert_eq!(tree.first().map(|process| process.pid), Some(me));
        assert!(kilobytes(me, "status", "VmRSS").unwrap() > 0);
        assert!(entries(me, "fd") > 2 && mounts(me) > 0);
        assert!(zygotes(me).is_empty());
        assert!(own_ticks("1 (a ) b) S 1 2 3 4 5 6 7 8 9 10 11 12 13").unwrap() == 23);
    }
}
