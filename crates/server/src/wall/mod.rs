//! The wall: one nsjail process around one interpreter, and the control channel into it.
//!
//! A wall lives as long as somebody holds it: the keeper that forks cells in it, and every cell
//! that came out of it, since the interpreter inside is pid 1 of the wall's pid namespace and takes
//! the cells along when it ends.

mod control;
mod in_place;
mod log;
mod nsjail;
mod variables;

use std::{
    fs::File,
    io::{self, Write},
    os::fd::{AsRawFd, OwnedFd},
    path::PathBuf,
    process::Stdio,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use cellblock_wire::control::{Event, Ready, Request, Setup};
use rustix::{
    fs::{MemfdFlags, memfd_create},
    net::{AddressFamily, SocketFlags, SocketType},
    process::{Pid, PidfdFlags, WaitId, WaitIdOptions, waitid},
};
use thiserror::Error;
use tokio::process::{Child, Command};

use crate::scratch::Passing;
pub use control::{Control, ControlError};
pub use in_place::InPlaceWall;
use log::LogTail;
pub use nsjail::{Identity, WallSpec};

/// One running wall.
#[derive(Debug)]
pub struct Wall {
    /// Where forks are asked for and events come from.
    pub control: Control,
    /// What the interpreter said of itself.
    pub ready: Ready,
    dead: AtomicBool,
    // Killed when dropped, together with everything inside.
    child: Child,
}

/// Why a wall did not start. Never a script's fault.
#[derive(Debug, Error)]
pub enum WallError {
    /// nsjail could not be run, or a file that it needs could not be written.
    #[error("cannot start nsjail at {path}: {source}", path = path.display())]
    Spawn {
        /// The program.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// A descriptor could not be made.
    #[error("cannot make a descriptor: {0}")]
    Descriptor(#[from] io::Error),
    /// The control channel failed or closed before the interpreter was ready.
    #[error("the wall ended before it was ready ({cause}): {log}")]
    Ended {
        /// What the control channel saw.
        cause: String,
        /// The last lines that nsjail or the interpreter wrote.
        log: String,
    },
    /// The interpreter came up but cannot serve.
    #[error("{stage}: {message}")]
    Fatal {
        /// What it was doing.
        stage: String,
        /// What went wrong.
        message: String,
    },
    /// It took too long.
    #[error("the wall was not ready within {}s: {log}", after.as_secs())]
    Timeout {
        /// How long was waited.
        after: Duration,
        /// The last lines that nsjail or the interpreter wrote.
        log: String,
    },
}

impl Wall {
    /// Starts a wall and waits until its interpreter is ready to make cells.
    pub async fn start(spec: &WallSpec, setup: Setup, within: Duration) -> Result<Self, WallError> {
        let (ours, theirs) = rustix::net::socketpair(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
            None,
        )
        .map_err(io::Error::from)?;
        // The interpreter's end blocks: it is its only thread's only work.
        rustix::io::ioctl_fionbio(&theirs, false).map_err(io::Error::from)?;
        // nsjail has read it by the time the interpreter inside is ready, or never will.
        let (mut child, _config) = spawn(spec, theirs)?;
        let log = child.stderr.take().map(LogTail::follow);
        let control = Control::new(ours)?;
        let ready = tokio::time::timeout(within, handshake(&control, setup)).await;
        let tail = || log.as_ref().map(LogTail::text).unwrap_or_default();
        match ready {
            Ok(Ok(ready)) => Ok(Self {
                control,
                ready,
                dead: AtomicBool::new(false),
                child,
            }),
            Ok(Err(WallError::Ended { cause, .. })) => {
                // The last words may still be on their way.
                let _ = tokio::time::timeout(Duration::from_secs(1), child.wait()).await;
                tokio::time::sleep(Duration::from_millis(20)).await;
                Err(WallError::Ended { cause, log: tail() })
            }
            Ok(Err(error)) => Err(error),
            Err(_) => Err(WallError::Timeout {
                after: within,
                log: tail(),
            }),
        }
    }

    /// Notes that nothing more can be had from this wall.
    pub fn mark_dead(&self) {
        self.dead.store(true, Ordering::Relaxed);
    }

    /// Whether nothing more can be had from this wall: its end was noted, or nsjail has exited.
    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed) || self.has_exited()
    }

    fn has_exited(&self) -> bool {
        // Looked at without reaping: that is the runtime's to do.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let pid = self
            .child
            .id()
            .and_then(|pid| Pid::from_raw(pid.cast_signed()));
        let Some(pid) = pid else { return true };
        !matches!(waitid(WaitId::Pid(pid), options), Ok(None))
    }

    /// The process id of nsjail.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// The interpreter inside, pid 1 of the wall: nsjail's only child.
    pub fn inside(&self) -> io::Result<OwnedFd> {
        let gone = || io::Error::from(io::ErrorKind::NotFound);
        let nsjail = self.child.id().ok_or_else(gone)?;
        let children = std::fs::read_to_string(format!("/proc/{nsjail}/task/{nsjail}/children"))?;
        let child = children.split_ascii_whitespace().next().ok_or_else(gone)?;
        let pid = child
            .parse()
            .ok()
            .and_then(Pid::from_raw)
            .ok_or_else(gone)?;
        Ok(rustix::process::pidfd_open(pid, PidfdFlags::empty())?)
    }
}

/// nsjail's configuration, to be held until it has been read.
enum Written {
    InMemory(File),
    InPlace(Passing),
}

/// Starts nsjail.
fn spawn(spec: &WallSpec, control: OwnedFd) -> Result<(Child, Written), WallError> {
    let failed = |source| WallError::Spawn {
        path: spec.nsjail.clone(),
        source,
    };
    let config = write(spec).map_err(failed)?;
    let path = match &config {
        // nsjail does not inherit the descriptor, it opens the file by this process' own directory.
        Written::InMemory(file) => {
            format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd()).into()
        }
        Written::InPlace(file) => file.path().to_owned(),
    };
    let child = Command::new(&spec.nsjail)
        .arg("--config")
        .arg(path)
        .stdin(Stdio::from(control))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .env_clear()
        .current_dir("/")
        .kill_on_drop(true)
        .spawn();
    Ok((child.map_err(failed)?, config))
}

fn write(spec: &WallSpec) -> io::Result<Written> {
    let text = spec.to_config();
    match &spec.in_place {
        None => in_memory(&text).map(Written::InMemory),
        // This process' directory in /proc is closed to others of its user.
        Some(place) => place.scratch.file(&text).map(Written::InPlace),
    }
}

/// A file without a place on a disk: a server may run where it can write nowhere. memfd_create(2)
fn in_memory(text: &str) -> io::Result<File> {
    let mut file = File::from(memfd_create("cellblock-wall", MemfdFlags::CLOEXEC)?);
    file.write_all(text.as_bytes())?;
    Ok(file)
}

async fn handshake(control: &Control, setup: Setup) -> Result<Ready, WallError> {
    let ended = |error: ControlError| WallError::Ended {
        cause: error.to_string(),
        log: String::new(),
    };
    control
        .send(&Request::Setup(setup), &[])
        .await
        .map_err(ended)?;
    match control.receive(&mut Vec::new()).await.map_err(ended)? {
        (Event::Ready(ready), _) => Ok(ready),
        (Event::Fatal { stage, message }, _) => Err(WallError::Fatal { stage, message }),
        (Event::Forked { .. } | Event::ForkFailed { .. }, _) => Err(WallError::Ended {
            cause: "it spoke of a cell before it was ready".to_owned(),
            log: String::new(),
        }),
    }
}
