//! SIGTERM and SIGINT.

use std::io;

use rustix::process::Signal as Number;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that ask us to end.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// From now on these signals are ours to handle.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next of them.
    pub(super) async fn next(&mut self) -> Number {
        tokio::select! {
            _ = self.terminate.recv() => Number::TERM,
            _ = self.interrupt.recv() => Number::INT,
        }
    }
}

/// The exit code that a shell would show for a process that a signal ended.
pub(super) fn exit_code(signal: Number) -> u8 {
    128_u8.saturating_add(u8::try_from(signal.as_raw()).unwrap_or(u8::MAX))
}
