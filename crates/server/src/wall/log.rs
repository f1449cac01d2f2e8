//! The log of a wall: what nsjail and the interpreter inside write to standard error.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::ChildStderr,
};

/// How many of the wall's last log lines are kept for the error message when it fails to start.
const KEPT_LINES: usize = 20;

/// Follows what nsjail and the interpreter write, logs it, and keeps the last lines.
pub(super) struct LogTail(Arc<Mutex<VecDeque<String>>>);

impl LogTail {
    /// Starts following.
    pub(super) fn follow(stderr: ChildStderr) -> Self {
        let lines = Arc::new(Mutex::new(VecDeque::new()));
        let kept = Arc::clone(&lines);
        tokio::spawn(async move {
            let mut reader = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = reader.next_line().await {
                tracing::debug!(target: "cellblock::wall", "{line}");
                if let Ok(mut kept) = kept.lock() {
                    if kept.len() == KEPT_LINES {
                        kept.pop_front();
                    }
                    kept.push_back(line);
                }
            }
        });
        Self(lines)
    }

    /// The last lines.
    pub(super) fn text(&self) -> String {
        let lines = self
            .0
            .lock()
            .map(|lines| lines.iter().cloned().collect::<Vec<_>>());
        lines.unwrap_or_default().join(" | ")
    }
}
