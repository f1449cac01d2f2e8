//! Making a cell: the clone, then the seal, then the wait for a job.

use std::os::fd::{OwnedFd, RawFd};

use cellblock_wire::{
    packet::{self, Kind, LIMITS_END, Token},
    report::SetupFailure,
};
use rustix::{
    io::Errno,
    net::{RecvFlags, SendFlags},
};
use thiserror::Error;

use crate::{
    CHANNEL_FD, limits,
    plan::{CellDescriptors, Plan},
    steps::{SEAL, SealStep},
    sys,
};

/// Which process came back from [`cell`].
#[derive(Debug)]
pub enum Forked {
    /// The zygote; the pidfd is that of the cell's init.
    Zygote(OwnedFd),
    /// The script's process, not sealed yet: the caller runs the interpreter's own after-fork
    /// work, then [`seal`].
    Script,
}

/// Why there is no new cell. The zygote goes on.
#[derive(Debug, Error)]
#[error("{step}: {errno}")]
pub struct ForkError {
    /// The step that failed.
    pub step: &'static str,
    /// What the kernel answered.
    pub errno: Errno,
}

impl From<sys::InitFailure> for ForkError {
    fn from(failure: sys::InitFailure) -> Self {
        Self {
            step: failure.step,
            errno: failure.errno,
        }
    }
}

/// Forks a cell out of this single-threaded process, into namespaces of its own.
pub fn cell(plan: &Plan, descriptors: &CellDescriptors) -> Result<Forked, ForkError> {
    Ok(match sys::clone_cell(plan, descriptors.report)? {
        sys::Cloned::Zygote(pidfd) => Forked::Zygote(pidfd),
        sys::Cloned::Script => Forked::Script,
    })
}

/// For an interpreter that is pid 1 of a jail made for one run: it becomes the init program, and
/// the call returns in its child, the script's process.
pub fn under_init(plan: &Plan, descriptors: &CellDescriptors) -> Result<(), ForkError> {
    Ok(sys::fork_under_init(plan, descriptors.report)?)
}

/// Prepares the calling zygote: its dead cells are reaped by the kernel.
pub fn prepare_zygote() {
    sys::ignore_sigchld();
}

/// Puts every layer of the plan on the calling process, says so to the server and waits for the
/// run's limits. Returns when a job is about to come; ends the process where anything fails or the
/// server has gone. The number is the channel's, as the runner is to use it.
///
/// `walled`: the wall is this cell's own, so that nsjail has made its namespaces.
pub fn seal(plan: &Plan, descriptors: &CellDescriptors, walled: bool) -> RawFd {
    sys::default_sigchld();
    let mut channel = descriptors.channel;
    let due = |step: &&SealStep| plan.policy.has(step.layer) && !(walled && step.by_wall);
    for step in SEAL.iter().filter(due) {
        if let Err(error) = (step.run)(plan, descriptors) {
            let failure = SetupFailure {
                step: step.name.to_owned(),
                error: error.to_string(),
            };
            let text = serde_json::to_vec(&failure).unwrap_or_default();
            let _ = send(channel, Kind::SetupFailed, &text);
            sys::exit_now(1);
        }
        if step.layer == crate::Layer::Descriptors {
            channel = CHANNEL_FD;
        }
    }
    if send(channel, Kind::Ready, &[]).is_err() || await_limits(channel).is_none() {
        sys::exit_now(1);
    }
    channel
}

fn send(channel: RawFd, kind: Kind, payload: &[u8]) -> Result<(), Errno> {
    let packet = packet::encode(Token::NONE, kind, payload);
    rustix::net::send(sys::borrow(channel), &packet, SendFlags::NOSIGNAL).map(drop)
}

/// Waits for the first packet and applies the limits in it. The packet stays for the runner.
fn await_limits(channel: RawFd) -> Option<()> {
    let mut start = [0; LIMITS_END];
    let received = loop {
        match rustix::net::recv(sys::borrow(channel), &mut start[..], RecvFlags::PEEK) {
            Ok((length, _)) => break start.get(..length)?,
            Err(Errno::INTR) => {}
            Err(_) => return None,
        }
    };
    limits::apply(&packet::limits(received)?).ok()
}
