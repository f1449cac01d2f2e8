//! The wall: one nsjail process around one interpreter, and the control channel into it.
//!
//! A wall lives as long as somebody holds it: the keeper that forks cells in it, and every cell
//! that came out of it, since the interpreter inside is pid 1 of the wall's pid namespace and takes
//! the cells along when it ends.

mod control;
mod end;
mod in_place;
mod log;
mod nsjail;
mod variables;

use std::{
    fs::File,
    io::{self, Write},
    os::fd::{AsRawFd, OwnedFd},
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use cellblock_wire::control::{Event, Ready, Request, Setup, Stage};
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
pub use nsjail::{Identity, Uids, WallSpec};

/// One running wall.
#[derive(Debug)]
pub struct Wall {
    /// Where forks are asked for and events come from.
    pub control: Control,
    /// What the interpreter said of itself.
    pub ready: Ready,
    dead: AtomicBool,
    retired: AtomicBool,
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
    #[error("{}{}", ended(.stage, *.status), said(.log))]
    Ended {
        /// What the interpreter was doing.
        stage: Stage,
        /// How nsjail ended, which passes on how the interpreter did.
        status: Option<ExitStatus>,
        /// The last lines that nsjail or the interpreter wrote.
        log: String,
    },
    /// The interpreter came up but cannot serve.
    #[error("{stage}: {message}")]
    Fatal {
        /// What it was doing.
        stage: Stage,
        /// What went wrong.
        message: String,
    },
    /// It took too long.
    #[error("{}{}", late(.stage, *.after), said(.log))]
    Timeout {
        /// What the interpreter was doing.
        stage: Stage,
        /// How long was waited.
        after: Duration,
        /// The last lines that nsjail or the interpreter wrote.
        log: String,
    },
}

fn said(log: &str) -> String {
    if log.is_empty() {
        return String::new();
    }
    format!(": {log}")
}

fn ended(stage: &Stage, status: Option<ExitStatus>) -> String {
    let how = status.map_or_else(|| "was lost".to_owned(), end::describe);
    format!("the interpreter {how} while {stage}")
}

fn late(stage: &Stage, after: Duration) -> String {
    let seconds = after.as_secs();
    format!("the interpreter was not ready within {seconds} s, and still {stage}")
}

impl WallError {
    /// What went wrong inside, without what nsjail logged, which names paths of this machine. `None`
    /// where it is not the environment's own fault: its modules, its exercise, or their threads.
    pub fn of_preload(&self) -> Option<String> {
        match self {
            Self::Ended { stage, status, .. } if stage.is_of_preload() => {
                Some(ended(stage, *status))
            }
            Self::Fatal { stage, .. } if stage.is_of_preload() => Some(self.to_string()),
            Self::Timeout { stage, after, .. } if stage.is_of_preload() => {
                Some(late(stage, *after))
            }
            _ => None,
        }
    }
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
        let mut stage = Stage::Start;
        let ready = tokio::time::timeout(within, handshake(&control, setup, &mut stage)).await;
        let tail = || log.as_ref().map(LogTail::text).unwrap_or_default();
        match ready {
            Ok(Ok(Answer::Ready(ready))) => Ok(Self {
                control,
                ready,
                dead: AtomicBool::new(false),
                retired: AtomicBool::new(false),
                child,
            }),
            Ok(Ok(Answer::Fatal(message))) => Err(WallError::Fatal { stage, message }),
            Ok(Err(_)) => {
                // The last words may still be on their way.
                let ended = tokio::time::timeout(Duration::from_secs(1), child.wait()).await;
                tokio::time::sleep(Duration::from_millis(20)).await;
                Err(WallError::Ended {
                    stage,
                    status: ended.ok().and_then(Result::ok),
                    log: tail(),
                })
            }
            Err(_) => Err(WallError::Timeout {
                stage,
                after: within,
                log: tail(),
            }),
        }
    }

    /// Notes that nothing more can be had from this wall.
    pub fn mark_dead(&self) {
        self.dead.store(true, Ordering::Relaxed);
    }

    /// Notes that another has taken its place: its cells are good, and better not used.
    pub fn retire(&self) {
        self.retired.store(true, Ordering::Relaxed);
    }

    /// Whether another has taken its place.
    pub fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Relaxed)
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

    /// The interpreter inside, pid 1 of the wall.
    pub fn inside(&self) -> io::Result<OwnedFd> {
        let pid = self.interpreter()?;
        Ok(rustix::process::pidfd_open(pid, PidfdFlags::empty())?)
    }

    /// Its number here: nsjail's only child.
    pub fn interpreter(&self) -> io::Result<Pid> {
        let gone = || io::Error::from(io::ErrorKind::NotFound);
        let nsjail = self.child.id().ok_or_else(gone)?;
        let children = std::fs::read_to_string(format!("/proc/{nsjail}/task/{nsjail}/children"))?;
        let child = children.split_ascii_whitespace().next().ok_or_else(gone)?;
        let pid = child.parse().ok().and_then(Pid::from_raw);
        pid.ok_or_else(gone)
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

/// What becomes of an interpreter that comes up.
enum Answer {
    Ready(Ready),
    Fatal(String),
}

/// Tells the interpreter what to do, and waits until it is done. Notes in `stage` what it does.
async fn handshake(
    control: &Control,
    setup: Setup,
    stage: &mut Stage,
) -> Result<Answer, ControlError> {
    control.send(&Request::Setup(setup), &[]).await?;
    let mut room = Vec::new();
    loop {
        match control.receive(&mut room).await?.0 {
            Event::Begins { stage: begun } => *stage = begun,
            Event::Ready(ready) => return Ok(Answer::Ready(ready)),
            Event::Fatal { message } => return Ok(Answer::Fatal(message)),
            // It spoke of a cell before it was ready.
            Event::Forked { .. } | Event::ForkFailed { .. } => return Err(ControlError::Closed),
        }
    }
}
