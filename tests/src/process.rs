//! What can be seen of the processes from outside.

use std::{
    fs,
    time::{Duration, Instant},
};

use crate::setting::stretched;

/// The processes of this name, whoever runs them: a script that took a name can be seen from the
/// host to be alive, by an ordinary user too.
pub fn named(name: &str) -> Vec<u32> {
    let processes = fs::read_dir("/proc").expect("/proc is readable").flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let has_name = |id: &u32| {
        // One that is gone meanwhile has none.
        let found = fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
        found.trim_end() == name
    };
    ids.filter(has_name).collect()
}

/// Waits until something holds, for at most `patience`, times the machine's slowness; says whether
/// it came to hold.
pub fn eventually(patience: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let (started, patience) = (Instant::now(), stretched(patience));
    loop {
        if holds() {
            return true;
        }
        if started.elapsed() > patience {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Says so where something took longer than it may, times the machine's slowness.
pub fn now_within(took: Duration, limit: Duration) -> Result<(), String> {
    let limit = stretched(limit);
    if took <= limit {
        return Ok(());
    }
    Err(format!(
        "took {} ms, more than {} ms",
        took.as_millis(),
        limit.as_millis()
    ))
}

/// The children of a process, whichever of its threads started them.
pub fn children(id: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{id}/task"))
        .into_iter()
        .flatten()
        .flatten();
    tasks
        .filter_map(|task| fs::read_to_string(task.path().join("children")).ok())
        .flat_map(|text| {
            text.split_ascii_whitespace()
                .filter_map(|id| id.parse().ok())
                .collect::<Vec<_>>()
        })
        .collect()
}
