//! One cell as the server sees it: a channel, two output pipes, the report pipe of its init, and a
//! pidfd to end it. Everything that comes through them is hostile, but for the report.

pub mod answer;
pub mod capture;
pub mod channel;
pub mod life;
mod pace;
pub mod place;
pub mod run;
pub mod usage_by_proc;
pub mod verdict;
mod watch;

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
    time::Duration,
};

use cellblock_wire::{
    packet::{Kind, Token},
    report::SetupFailure,
};
use rustix::{
    net::{AddressFamily, SocketFlags, SocketType},
    pipe::PipeFlags,
};
use thiserror::Error;
use tokio::net::unix::pipe;

use crate::{cgroup::Slot, users::User, wall::Wall};
use channel::Channel;
use life::{Ended, Life};
use place::Place;

/// A sealed cell that waits for its job, or runs it.
#[derive(Debug)]
pub struct Cell {
    channel: Channel,
    stdout: pipe::Receiver,
    stderr: pipe::Receiver,
    life: Life,
    /// Its script had started when its run was over.
    begun: bool,
}

/// The server's ends, while the cell's ends are on their way to the zygote.
#[derive(Debug)]
pub struct ServerEnds {
    channel: OwnedFd,
    stdout: OwnedFd,
    stderr: OwnedFd,
    report: OwnedFd,
}

/// The cell's ends, in the order in which `control::Request::Fork` names them.
#[derive(Debug)]
pub struct CellEnds([OwnedFd; 4]);

/// Why a cell did not become ready. The machine's fault or ours.
#[derive(Debug, Error)]
pub enum CellError {
    /// A descriptor could not be made or watched.
    #[error("cannot make a cell's descriptors: {0}")]
    Descriptor(#[from] io::Error),
    /// A step of the seal failed.
    #[error("{step}: {error}", step = .0.step, error = .0.error)]
    Setup(SetupFailure),
    /// Its memory could not be limited.
    #[error("what a cell uses cannot be seen in /proc: mount it without hidepid")]
    Unseen,
    /// It went away before it was ready.
    #[error("a cell ended before it was ready")]
    Ended,
    /// It took too long.
    #[error("a cell was not ready in time")]
    Timeout,
}

/// Makes the two ends of everything that runs between the server and a cell.
pub fn ends() -> io::Result<(ServerEnds, CellEnds)> {
    let (channel, cell_channel) = rustix::net::socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        None,
    )?;
    // The cell's ends block, as a program expects of its descriptors.
    rustix::io::ioctl_fionbio(&cell_channel, false)?;
    let pipe = || -> io::Result<(OwnedFd, OwnedFd)> {
        let (read, write) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        rustix::io::ioctl_fionbio(&write, false)?;
        Ok((read, write))
    };
    let ((stdout, cell_stdout), (stderr, cell_stderr), (report, cell_report)) =
        (pipe()?, pipe()?, pipe()?);
    let ours = ServerEnds {
        channel,
        stdout,
        stderr,
        report,
    };
    Ok((
        ours,
        CellEnds([cell_channel, cell_stdout, cell_stderr, cell_report]),
    ))
}

impl CellEnds {
    /// The descriptors to send, in order.
    pub fn as_fds(&self) -> impl Iterator<Item = std::os::fd::BorrowedFd<'_>> {
        self.0.iter().map(AsFd::as_fd)
    }
}

impl Cell {
    /// A cell that has been forked, or is about to be, with these ends.
    pub fn new(
        ends: ServerEnds,
        pidfd: OwnedFd,
        slot: Option<Slot>,
        place: Option<Place>,
        wall: Arc<Wall>,
    ) -> io::Result<Self> {
        Ok(Self {
            channel: Channel::new(ends.channel)?,
            stdout: pipe::Receiver::from_owned_fd(ends.stdout)?,
            stderr: pipe::Receiver::from_owned_fd(ends.stderr)?,
            life: Life {
                report: pipe::Receiver::from_owned_fd(ends.report)?,
                ended: None,
                pidfd,
                slot,
                place,
                user: None,
                wall,
            },
            begun: false,
        })
    }

    /// Notes the uid that it has as its own, if it has: it is given back when nothing of the cell is left.
    pub fn belongs_to(&mut self, user: Option<User>) {
        self.life.user = user;
    }

    /// Waits until the cell is sealed.
    pub async fn sealed(&mut self, within: Duration) -> Result<(), CellError> {
        let received = tokio::time::timeout(within, self.channel.receive()).await;
        let Some(packet) = received.map_err(|_| CellError::Timeout)?? else {
            return Err(CellError::Ended);
        };
        match cellblock_wire::packet::decode(packet, Token::NONE) {
            Ok((Kind::Ready, _)) => {
                if let Some(slot) = &mut self.life.slot {
                    slot.note();
                }
                if let Some(place) = &mut self.life.place {
                    place.note().ok_or(CellError::Unseen)?;
                }
                Ok(())
            }
            Ok((Kind::SetupFailed, payload)) => {
                let failure = serde_json::from_slice(payload).unwrap_or(SetupFailure {
                    step: "unknown".to_owned(),
                    error: "unreadable".to_owned(),
                });
                Err(CellError::Setup(failure))
            }
            _ => Err(CellError::Ended),
        }
    }

    /// Ends the cell and waits until nothing of it is left.
    pub async fn end(&mut self) -> Ended {
        self.life.end().await
    }

    /// Asks init to end the cell and everything in it.
    pub fn terminate(&self) {
        self.life.terminate();
    }

    /// Whether this cell and the wall around it still stand.
    pub fn stands(&self) -> bool {
        self.life.goes_on()
    }

    /// Whether the script of a run that is over had started, so that it may be what ended the cell.
    pub fn has_begun(&self) -> bool {
        self.begun
    }

    /// Whether it came out of this wall.
    pub fn is_of(&self, wall: &Arc<Wall>) -> bool {
        Arc::ptr_eq(&self.life.wall, wall)
    }

    /// Whether another wall has taken the place of its own.
    pub fn is_retired(&self) -> bool {
        self.life.wall.is_retired()
    }

    /// Listens to it no more: its death, by which it closes its ends, then wakes nobody but whoever
    /// waits for it. A runner that has answered ends by itself when it sees that.
    pub fn hang_up(self) -> Life {
        self.life
    }
}
