//! Being the first process of a container.
//!
//! Whoever is pid 1 gets every orphan to bury, and signals that it does not handle pass it by:
//! pid_namespaces(7). When nsjail dies, the zygote inside is such an orphan. The server cannot bury
//! it without racing for children of its own that it waits for, so it runs as a child of a process
//! that does nothing else.

use std::{
    io,
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{Command, ExitCode, ExitStatus},
};

use rustix::process::{Pid, WaitOptions, getpid, kill_process, wait};
use tokio::signal::unix::{SignalKind, signal};

use super::{CliError, signals::Signals};

/// Whether this process is the first one.
pub(super) fn is_first() -> bool {
    getpid().is_init()
}

/// Runs this very command again as a child, passes signals on to it, buries whoever dies, and ends
/// as the child does.
pub(super) async fn stand_in() -> Result<ExitCode, CliError> {
    let mut signals = Signals::listen()?;
    let mut deaths = signal(SignalKind::child())?;
    let child = Command::new(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        // A terminal's Ctrl-C reaches its foreground group: this process, which passes it on.
        .process_group(0)
        .spawn()?;
    let child = Pid::from_child(&child);
    loop {
        if let Some(status) = bury(child)? {
            return Ok(exit_code(status));
        }
        tokio::select! {
            _ = deaths.recv() => {}
            signal = signals.next() => {
                // One that has just died is found above.
                let _ = kill_process(child, signal);
            }
        }
    }
}

/// Reaps all that have died; gives the status of `child` if it was among them.
fn bury(child: Pid) -> io::Result<Option<ExitStatus>> {
    while let Some((pid, status)) = wait(WaitOptions::NOHANG)? {
        if pid == child {
            return Ok(Some(ExitStatus::from_raw(status.as_raw())));
        }
    }
    Ok(None)
}

/// As a shell would show it.
fn exit_code(status: ExitStatus) -> ExitCode {
    let signal = || status.signal().map(|number| 128 + number);
    let code = status.code().or_else(signal);
    ExitCode::from(
        code.and_then(|code| u8::try_from(code).ok())
            .unwrap_or(u8::MAX),
    )
}
