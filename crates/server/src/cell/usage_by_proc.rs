//! What a cell uses, summed over its processes as `/proc` shows them: for machines without a
//! writable cgroup. proc(5)

use std::{
    fs,
    os::fd::{AsRawFd, OwnedFd},
    time::Duration,
};

/// Clock ticks per second in `/proc/PID/stat`: fixed at 100 for user space on Linux.
const TICKS: u64 = 100;
/// Most processes that are looked at: cells are limited to fewer.
const MOST: usize = 1024;

/// A sum over a cell's processes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// User and system time, of the living and of those that they have waited for.
    pub cpu: Duration,
    /// Private and shared memory that the processes hold beyond what they share with the zygote.
    pub memory_bytes: u64,
}

/// Sums over the descendants of the cell's init; `None` once it is gone. `inherited`: what each of them
/// had from its zygote, where the cell has no namespaces.
pub fn of_cell(init: &OwnedFd, inherited: Option<u64>) -> Option<Seen> {
    let mut sum = Seen::default();
    let mut todo = vec![pid(init)?];
    let mut seen = 0;
    while let Some(pid) = todo.pop() {
        seen += 1;
        if seen > MOST {
            break;
        }
        todo.extend(children(pid));
        sum.cpu += cpu(pid).unwrap_or_default();
        let memory = own_memory(pid).or_else(|| added_memory(pid, inherited?));
        sum.memory_bytes += memory.unwrap_or_default();
    }
    Some(sum)
}

/// The process that a pidfd stands for, as numbered in our pid namespace. pidfd_open(2)
fn pid(pidfd: &OwnedFd) -> Option<u32> {
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd())).ok()?;
    let line = info.lines().find_map(|line| line.strip_prefix("Pid:"))?;
    line.trim().parse().ok().filter(|pid| *pid > 0)
}

fn children(pid: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten();
    tasks
        .filter_map(|task| fs::read_to_string(task.path().join("children")).ok())
        .flat_map(|text| {
            text.split_ascii_whitespace()
                .filter_map(|pid| pid.parse().ok())
                .collect::<Vec<_>>()
        })
        .collect()
}

/// User and system time of a process, and of those that it has waited for.
pub fn cpu(pid: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // utime, stime, cutime and cstime are the fields 14 to 17.
    let ticks = after_name(&stat)?.skip(11).take(4).map(str::parse::<u64>);
    let ticks = ticks.sum::<Result<u64, _>>().ok()?;
    Some(Duration::from_millis(ticks * 1000 / TICKS))
}

/// What a process is up to, as the letter that proc(5) has for it.
pub fn state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    after_name(&stat)?.next()?.chars().next()
}

/// Private and proportional memory: what the process added to what it shares with the zygote.
fn own_memory(pid: u32) -> Option<u64> {
    kilobytes(pid, "smaps_rollup", "Private_Dirty:", "Private_Clean:")
}

/// Bytes of memory that a process holds and no file backs, in common with others or not.
pub fn held(pid: u32) -> Option<u64> {
    kilobytes(pid, "status", "RssAnon:", "RssShmem:")
}

/// The sum of two lines in kilobytes, the second of which may be missing, in bytes.
fn kilobytes(pid: u32, file: &str, first: &str, second: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}")).ok()?;
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_ascii_whitespace().next()?.parse::<u64>().ok()
    };
    Some((field(first)? + field(second).unwrap_or(0)) * 1024)
}

/// The fields of `/proc/PID/stat` from the third on: the second is the command in parentheses, which
/// may hold anything. proc(5)
pub(super) fn after_name(stat: &str) -> Option<impl Iterator<Item = &str>> {
    Some(stat.rsplit_once(')')?.1.split_ascii_whitespace())
}

/// What a process may have added, where the kernel does not show this user which pages are its own: a
/// process that cannot be traced, of the same uid. At least what it has, so that nothing escapes:
///
/// - all that it holds beyond what it had from its zygote, what it shares with its parent included;
/// - of what it had from its zygote, as much as it has met page faults for that brought nothing new,
///   since to write to a shared page is one.
fn added_memory(pid: u32, inherited: u64) -> Option<u64> {
    const PAGE: u64 = 4096;
    let grown = held(pid)?.saturating_sub(inherited);
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // Field 10.
    let faults = after_name(&stat)?.nth(7)?;
    let met = faults.parse::<u64>().ok()?.saturating_mul(PAGE);
    Some(grown + met.saturating_sub(grown).min(inherited))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_can_be_seen() {
        let me = std::process::id();
        assert!(own_memory(me).unwrap() > 0);
        assert!(cpu(me).is_some());
        let pidfd = rustix::process::pidfd_open(
            rustix::process::Pid::from_raw(i32::try_from(me).unwrap()).unwrap(),
            rustix::process::PidfdFlags::empty(),
        )
        .unwrap();
        assert_eq!(pid(&pidfd), Some(me));
        assert!(of_cell(&pidfd, None).unwrap().memory_bytes > 0);
    }

    #[test]
    fn what_is_added_is_seen_without_looking_at_pages() {
        let me = std::process::id();
        let before = held(me).unwrap();
        let kept = vec![1_u8; 32 << 20];
        assert!(added_memory(me, before).unwrap() >= 30 << 20);
        assert!(kept.iter().all(|byte| *byte == 1));
    }
}
