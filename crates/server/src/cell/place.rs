//! What the server holds of a cell without namespaces: its directory, and the number of its process
//! group, by which it is ended where its init no longer can.

use std::{fs, io, time::Duration};

use rustix::process::{Pid, Signal, kill_process_group};

use super::usage_by_proc;
use crate::scratch::Directory;

/// How often it is looked whether somebody is left, and how long it is waited in between: a process
/// that was killed may take a while to end.
const LOOKS: u32 = 100;
const BETWEEN: Duration = Duration::from_millis(5);

/// One cell's.
#[derive(Debug)]
pub struct Place {
    directory: Option<Directory>,
    script: Pid,
    inherited: u64,
}

impl Place {
    /// `script` is the number of its first process, which leads its group.
    ///
    /// # Errors
    /// That is no number of a process.
    pub fn new(directory: Directory, script: Option<i32>) -> io::Result<Self> {
        let script = script.filter(|number| *number > 1).and_then(Pid::from_raw);
        let script = script.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
        Ok(Self {
            directory: Some(directory),
            script,
            inherited: 0,
        })
    }

    /// Notes what the sealed cell has of its zygote's memory; `None` where that cannot be seen, so that
    /// its memory could not be limited.
    pub(super) fn note(&mut self) -> Option<()> {
        let pid = self.script.as_raw_pid().unsigned_abs();
        self.inherited = usage_by_proc::held(pid)?;
        Some(())
    }

    /// Bytes that each of its processes had before its run.
    pub(super) fn inherited(&self) -> u64 {
        self.inherited
    }

    /// Whether its files are more than they may be.
    pub(super) fn is_over(&self) -> bool {
        self.directory.as_ref().is_some_and(Directory::is_over)
    }

    /// Kills whoever is left of the cell, once init has gone without having reported that nobody is.
    pub(super) async fn sweep(&self) {
        for _ in 0..LOOKS {
            if !is_led_by(self.script) {
                return;
            }
            // While it has a member, the group's number is nobody else's.
            let _ = kill_process_group(self.script, Signal::KILL);
            tokio::time::sleep(BETWEEN).await;
        }
        tracing::error!(group = %self.script.as_raw_pid(), "processes of a cell do not end");
    }

    /// Removes its directory, once nobody is left.
    pub(super) async fn remove(&mut self) {
        if let Some(directory) = self.directory.take() {
            // As long as there are files.
            let _ = tokio::task::spawn_blocking(move || directory.remove()).await;
        }
    }
}

/// Whether a process is left that is in the group of this number, and in its session: the cell's first
/// process led both, and nobody in it could leave either.
fn is_led_by(leader: Pid) -> bool {
    let leader = leader.as_raw_pid().to_string();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let stats = entries.filter_map(|entry| {
        let name = entry.file_name();
        let number = name.to_str()?.bytes().all(|byte| byte.is_ascii_digit());
        number.then(|| fs::read_to_string(entry.path().join("stat")).ok())?
    });
    stats.into_iter().any(|stat| {
        // State, parent, group, session.
        let Some(mut fields) = usage_by_proc::after_name(&stat) else {
            return false;
        };
        let dead = matches!(fields.next(), Some("Z" | "X"));
        let (group, session) = (fields.nth(1), fields.next());
        !dead && group == Some(leader.as_str()) && session == Some(leader.as_str())
    })
}
