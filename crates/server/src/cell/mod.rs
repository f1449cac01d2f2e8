//! One cell as the server sees it: a channel, two output pipes, the report pipe of its init, and a
//! pidfd to end it. Everything that comes through them is hostile, but for the report.

pub mod answer;
pub mod capture;
pub mod channel;
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
    status::{self, InitReport},
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    net::{AddressFamily, SocketFlags, SocketType},
    pipe::PipeFlags,
    process::{Signal, pidfd_send_signal},
};
use thiserror::Error;
use tokio::{io::AsyncReadExt, net::unix::pipe};

use crate::{cgroup::Slot, wall::Wall};
use channel::Channel;
use place::Place;

/// How long init gets to end its cell before the kernel is asked to.
const GRACE: Duration = Duration::from_secs(2);

/// How long it may take until a wall's death is known, after that of a cell in it was.
const OBITUARY: Duration = Duration::from_millis(200);

/// A sealed cell that waits for its job, or runs it.
#[derive(Debug)]
pub struct Cell {
    pub(crate) channel: Channel,
    pub(crate) stdout: pipe::Receiver,
    pub(crate) stderr: pipe::Receiver,
    report: pipe::Receiver,
    ended: Option<Ended>,
    /// The cell's init.
    pidfd: OwnedFd,
    pub(crate) slot: Option<Slot>,
    /// What takes the place of namespaces, where it has none.
    place: Option<Place>,
    // The wall must outlive the cell.
    wall: Arc<Wall>,
}

/// The end of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Init reported.
    Reported(InitReport),
    /// The cell went away without a report: it was killed from outside, or its wall died.
    Lost,
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
            report: pipe::Receiver::from_owned_fd(ends.report)?,
            ended: None,
            pidfd,
            slot,
            place,
            wall,
        })
    }

    /// Waits until the cell is sealed.
    pub async fn sealed(&mut self, within: Duration) -> Result<(), CellError> {
        let received = tokio::time::timeout(within, self.channel.receive()).await;
        let Some(packet) = received.map_err(|_| CellError::Timeout)?? else {
            return Err(CellError::Ended);
        };
        match cellblock_wire::packet::decode(packet, Token::NONE) {
            Ok((Kind::Ready, _)) => {
                if let Some(slot) = &mut self.slot {
                    slot.note();
                }
                if let Some(place) = &mut self.place {
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

    /// Waits for the cell's end. Cancel-safe.
    pub async fn ended(&mut self) -> Ended {
        read_report(&mut self.ended, &mut self.report).await
    }

    /// Asks init to end the cell and everything in it.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Ends the cell and waits until nothing of it is left.
    pub async fn end(&mut self) -> Ended {
        let ended = self.end_by_force().await;
        if ended == Ended::Lost {
            // The report's pipe is closed before the rest of the cell is dead; init's process ends after it.
            let _ = tokio::time::timeout(GRACE * 5, self.gone()).await;
        }
        if let Some(place) = &mut self.place {
            if ended == Ended::Lost {
                place.sweep().await;
            }
            place.remove().await;
        }
        if ended == Ended::Lost {
            // Most likely its wall died, and the wall's other cells are about to. Whoever tries
            // again must not be handed one of them.
            let known = async {
                while !self.wall.is_dead() {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            };
            let _ = tokio::time::timeout(OBITUARY, known).await;
        }
        ended
    }

    async fn end_by_force(&mut self) -> Ended {
        self.terminate();
        if let Ok(ended) = tokio::time::timeout(GRACE, self.ended()).await {
            return ended;
        }
        tracing::warn!("a cell did not end in {GRACE:?}: it is killed by force");
        // Once init itself is killed, the kernel kills the rest.
        self.signal(Signal::KILL);
        tokio::time::timeout(GRACE * 5, self.ended())
            .await
            .unwrap_or(Ended::Lost)
    }

    /// Waits until init is dead, looking rarely: hardly ever is there anything to wait for.
    async fn gone(&self) {
        // Readable once the process has ended: pidfd_open(2).
        while !shows(&self.pidfd, PollFlags::IN).contains(PollFlags::IN) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    fn signal(&self, signal: Signal) {
        // An error means that the process is gone already.
        let _ = pidfd_send_signal(&self.pidfd, signal);
    }

    /// Whether this cell and the wall around it still stand.
    pub fn stands(&self) -> bool {
        self.ended.is_none() && !self.wall.is_dead()
    }
}

/// What the kernel has to say of a descriptor now; nothing where it cannot be asked.
fn shows(descriptor: &impl AsFd, wanted: PollFlags) -> PollFlags {
    let mut watched = [PollFd::new(descriptor, wanted)];
    match poll(&mut watched, Some(&Timespec::default())) {
        Ok(_) => watched[0].revents(),
        Err(_) => PollFlags::empty(),
    }
}

/// Waits for init's report, or for the pipe's end without one. Cancel-safe, because the report is
/// one write below `PIPE_BUF`: it comes whole or not at all.
async fn read_report(ended: &mut Option<Ended>, report: &mut pipe::Receiver) -> Ended {
    if let Some(ended) = ended {
        return *ended;
    }
    let mut bytes = [0; status::LEN];
    let read = report.read(&mut bytes).await.unwrap_or(0);
    *ended.insert(InitReport::decode(&bytes[..read]).map_or(Ended::Lost, Ended::Reported))
}
