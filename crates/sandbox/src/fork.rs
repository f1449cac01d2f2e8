//! Making a cell: the clone, then the seal, then the wait for a job.

use std::os::fd::{OwnedFd, RawFd};

use cellblock_wire::{
    job::CellLimits,
    packet::{self, Kind, LIMITS_END, Token},
    report::SetupFailure,
};
use rustix::{
    io::Errno,
    net::{RecvFlags, SendFlags},
    process::DumpableBehavior,
};
use thiserror::Error;

use crate::{
    CHANNEL_FD, Layer,
    limits::{self, Sizes},
    own_user,
    plan::{CellDescriptors, Plan},
    seccomp::{self, SeccompError},
    steps::SealStep,
    sys,
};

/// Which process came back from [`cell`].
#[derive(Debug)]
pub enum Forked {
    /// The zygote.
    Zygote {
        /// The cell's init.
        init: OwnedFd,
        /// The number of the script's process.
        script: i32,
    },
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

/// Forks a cell out of this single-threaded process, into namespaces of its own. `uid`: its own user, as
/// this process counts, where the plan gives cells one.
pub fn cell(
    plan: &Plan,
    descriptors: &CellDescriptors,
    uid: Option<u32>,
) -> Result<Forked, ForkError> {
    let cloned = if plan.gives_own_users() {
        own_user::with(plan, uid, || sys::clone_cell(plan, descriptors.report))?
    } else {
        sys::clone_cell(plan, descriptors.report)?
    };
    Ok(match cloned {
        sys::Cloned::Zygote { init, script } => Forked::Zygote { init, script },
        sys::Cloned::Script => Forked::Script,
    })
}

/// For an interpreter that is pid 1 of a jail made for one run: it becomes the init program, and
/// the call returns in its child, the script's process.
pub fn under_init(plan: &Plan, descriptors: &CellDescriptors) -> Result<(), ForkError> {
    // What nsjail has left to the child, to seal itself with, is not to pass init's exec.
    rustix::thread::clear_ambient_capability_set().map_err(|errno| ForkError {
        step: "clear capabilities",
        errno,
    })?;
    Ok(sys::fork_under_init(plan, descriptors.report)?)
}

/// Why a process cannot become a zygote.
#[derive(Debug, Error)]
pub enum ZygoteError {
    /// A filter does not compile: ours.
    #[error(transparent)]
    Compile(#[from] SeccompError),
    /// The kernel did not take it.
    #[error("system-call filter: {0}")]
    Install(#[from] seccompiler::Error),
    /// It cannot be closed to others of its user.
    #[error("not dumpable, parent of orphans: {0}")]
    Seclude(#[from] Errno),
}

/// Makes the calling process a zygote, for good: its dead cells are reaped by the kernel, and it
/// may call what it takes to make cells, beside what cells may, and nothing else. Its cells inherit
/// that, so the plan's last step becomes to take the rest away.
pub fn become_zygote(plan: &mut Plan) -> Result<(), ZygoteError> {
    sys::ignore_sigchld();
    if plan.is_in_place() {
        // It has a uid in common with its cells, and buries what a killed init leaves.
        rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
        rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    }
    if plan.policy.has(Layer::Seccomp) {
        for filter in seccomp::compile_zygote(plan.is_in_place(), plan.policy.memory())? {
            seccompiler::apply_filter(&filter)?;
        }
        plan.filters = plan.closing()?;
    }
    Ok(())
}

/// What this process has of memory, where it cannot be asked for once it is sealed.
pub fn sizes_before(plan: &Plan) -> Option<Sizes> {
    plan.is_in_place().then(limits::sizes)?.ok()
}

/// Puts every layer of the plan on the calling process; ends it where anything fails. The number
/// is the channel's, as the runner is to use it, once it has called [`await_job`].
pub fn seal(plan: &Plan, descriptors: &CellDescriptors) -> RawFd {
    sys::default_sigchld();
    let mut channel = descriptors.channel;
    let due = |step: &&SealStep| plan.policy.has(step.layer);
    for step in plan.seal.iter().filter(due) {
        if let Err(error) = (step.run)(plan, descriptors) {
            let failure = SetupFailure {
                step: step.name.to_owned(),
                error: error.to_string(),
            };
            let text = serde_json::to_vec(&failure).unwrap_or_default();
            let _ = send(channel, Kind::SetupFailed, &text);
            sys::exit_now(1);
        }
        if step.layer == Layer::Descriptors {
            channel = CHANNEL_FD;
        }
    }
    channel
}

/// Tells the server that this sealed process is ready, and waits for the run's limits. Returns the
/// length of the job's first packet, which waits to be read, so that whoever reads it need not set
/// aside room for the largest, and the limits; ends the process where anything fails or the server has
/// gone.
///
/// `own`: what [`sizes_before`] gave. `counted`: a cgroup counts the cell's memory.
///
/// Apart from [`seal`], so that the runner can prepare in between: what it does there, no client
/// waits for.
pub fn await_job(channel: RawFd, own: Option<Sizes>, counted: bool) -> (usize, CellLimits) {
    // Before the job comes, like everything that does not depend on it.
    let own = own.or_else(|| limits::sizes().ok());
    let awaited = own.and_then(|own| {
        send(channel, Kind::Ready, &[]).ok()?;
        await_limits(channel, own, counted)
    });
    awaited.unwrap_or_else(|| sys::exit_now(1))
}

fn send(channel: RawFd, kind: Kind, payload: &[u8]) -> Result<(), Errno> {
    let packet = packet::encode(Token::NONE, kind, payload);
    rustix::net::send(sys::borrow(channel), &packet, SendFlags::NOSIGNAL).map(drop)
}

/// Waits for the first packet and applies the limits in it. The packet stays for the runner; its
/// length is returned.
fn await_limits(channel: RawFd, own: Sizes, counted: bool) -> Option<(usize, CellLimits)> {
    let mut start = [0; LIMITS_END];
    // TRUNC: the length is that of the packet, not of what fits.
    let flags = RecvFlags::PEEK | RecvFlags::TRUNC;
    let length = loop {
        match rustix::net::recv(sys::borrow(channel), &mut start[..], flags) {
            Ok((_, length)) => break length,
            Err(Errno::INTR) => {}
            Err(_) => return None,
        }
    };
    let received = start.get(..length.min(LIMITS_END))?;
    let limits = packet::limits(received)?;
    limits::apply(&limits, own, counted).ok()?;
    Some((length, limits))
}
