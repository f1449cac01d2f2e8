//! What a cell is besides its channel and its output: processes that end, and are made to.

use std::{
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
    time::Duration,
};

use cellblock_wire::status::{self, InitReport};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Signal, pidfd_send_signal},
};
use tokio::{io::AsyncReadExt, net::unix::pipe};

use super::place::Place;
use crate::{cgroup::Slot, users::User, wall::Wall};

/// How long a cell that has answered gets to end by itself.
const BY_ITSELF: Duration = Duration::from_millis(5);

/// How long init gets to end its cell before the kernel is asked to.
const GRACE: Duration = Duration::from_secs(2);

/// How long it may take until a wall's death is known, after that of a cell in it was.
const OBITUARY: Duration = Duration::from_millis(200);

/// What is left of a cell that nobody listens to any more: the way to its end.
#[derive(Debug)]
pub struct Life {
    pub(super) report: pipe::Receiver,
    pub(super) ended: Option<Ended>,
    /// The cell's init.
    pub(super) pidfd: OwnedFd,
    pub(super) slot: Option<Slot>,
    /// What takes the place of namespaces, where it has none.
    pub(super) place: Option<Place>,
    /// The uid that it has as its own.
    pub(super) user: Option<User>,
    // The wall must outlive the cell.
    pub(super) wall: Arc<Wall>,
}

/// The end of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Init reported.
    Reported(InitReport),
    /// The cell went away without a report: it was killed from outside, or its wall died.
    Lost,
}

impl Life {
    /// Whether it, and the wall around it, have not ended as far as is known.
    pub(super) fn goes_on(&self) -> bool {
        self.ended.is_none() && !self.wall.is_dead()
    }

    /// Waits until nothing is left of a cell that has answered, which is about to end by itself; ends
    /// it if it does not.
    pub async fn end_itself(&mut self) -> Ended {
        // Whatever comes of it, `end` looks again.
        let _ = tokio::time::timeout(BY_ITSELF, self.ended()).await;
        self.end().await
    }

    /// Gives back what an ended cell had, and waits until that is as good as new.
    pub async fn clear_up(mut self) {
        if let Some(slot) = self.slot.take() {
            slot.release().await;
        }
    }

    /// Asks init to end the cell and everything in it.
    pub(super) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Waits for the cell's end. Cancel-safe.
    async fn ended(&mut self) -> Ended {
        read_report(&mut self.ended, &mut self.report).await
    }

    /// Ends the cell and waits until nothing of it is left.
    pub async fn end(&mut self) -> Ended {
        let ended = self.end_by_force().await;
        let gone = match ended {
            Ended::Reported(_) => true,
            // The report's pipe is closed before the rest of the cell is dead; init's process ends after it.
            Ended::Lost => tokio::time::timeout(GRACE * 5, self.gone()).await.is_ok(),
        };
        if let Some(user) = self.user.as_mut().filter(|_| gone) {
            user.has_ended();
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
        if let Some(ended) = self.ended {
            return ended;
        }
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
}

/// What the kernel has to say of a descriptor now; nothing where it cannot be asked.
pub(super) fn shows(descriptor: &impl AsFd, wanted: PollFlags) -> PollFlags {
    let mut watched = [PollFd::new(descriptor, wanted)];
    match poll(&mut watched, Some(&Timespec::default())) {
        Ok(_) => watched[0].revents(),
        Err(_) => PollFlags::empty(),
    }
}

/// Waits for init's report, or for the pipe's end without one. Cancel-safe, because the report is
/// one write below `PIPE_BUF`: it comes whole or not at all.
pub(super) async fn read_report(ended: &mut Option<Ended>, report: &mut pipe::Receiver) -> Ended {
    if let Some(ended) = ended {
        return *ended;
    }
    let mut bytes = [0; status::LEN];
    let read = report.read(&mut bytes).await.unwrap_or(0);
    *ended.insert(InitReport::decode(&bytes[..read]).map_or(Ended::Lost, Ended::Reported))
}
