//! Cells on their way from a zygote to the shelf.

use std::{
    collections::HashMap,
    os::fd::{BorrowedFd, OwnedFd},
    sync::Arc,
    time::{Duration, Instant},
};

use cellblock_wire::control::{Event, Request};
use tokio::task::JoinSet;

use super::keeper::{BACK_OFF, Keeper};
use crate::{
    cell::{self, Cell, ServerEnds, place::Place},
    cgroup::{Groups, Slot},
    engine::source::SourceError,
    scratch::{Directory, Scratch},
    users::{User, Users},
    wall::{ControlError, Wall},
};

/// How long making new cells waits for the run that took one, while enough are ready: a fork keeps
/// a processor for some milliseconds, in which the kernel lets nobody else on it.
const DEFERENCE: Duration = Duration::from_millis(2);

/// How many cells a zygote may be asked for before it has answered: it makes them one by one, and a
/// channel that is full would keep the keeper waiting.
const ASKED: usize = 16;

/// A cell that was asked for: its ends, its cgroup, its directory if it has no `/tmp`, and when.
#[derive(Debug)]
pub(super) struct Unborn {
    ends: ServerEnds,
    slot: Option<Slot>,
    user: Option<User>,
    directory: Option<Directory>,
    asked: Instant,
}

/// Cells on their way: forked or about to be, not on the shelf yet.
pub(super) struct Nursery {
    wall: Arc<Wall>,
    pub(super) next: u64,
    pub(super) unborn: HashMap<u64, Unborn>,
    pub(super) sealing: JoinSet<Result<Cell, cell::CellError>>,
    /// Until when no cell is asked for, after a failure.
    rest: Instant,
    /// Until when the shelf is left as it is, for the sake of a run.
    deferred: Option<Instant>,
}

impl Nursery {
    pub(super) fn new(wall: Arc<Wall>) -> Self {
        let (unborn, sealing) = (HashMap::new(), JoinSet::new());
        Self {
            wall,
            next: 0,
            unborn,
            sealing,
            rest: Instant::now(),
            deferred: None,
        }
    }

    /// Whether no cell is on its way.
    pub(super) fn is_empty(&self) -> bool {
        self.unborn.is_empty() && self.sealing.is_empty()
    }

    /// Whether no cell is asked for at the moment, because making one has just failed.
    fn rests(&self) -> bool {
        self.rest > Instant::now()
    }

    /// Waits until there is something to do that nobody tells of.
    pub(super) async fn pause(rest: Option<Instant>) {
        match rest {
            Some(until) => tokio::time::sleep_until(until.into()).await,
            None => std::future::pending().await,
        }
    }

    pub(super) fn pause_ends(&self) -> Option<Instant> {
        if self.rests() {
            Some(self.rest)
        } else {
            self.deferred
        }
    }

    pub(super) fn refuse(&mut self, keeper: &Keeper, step: &str, error: &dyn std::fmt::Display) {
        self.rest = Instant::now() + BACK_OFF;
        keeper.report(step, error);
    }

    /// Asks for as many cells as the shelf lacks.
    pub(super) async fn fill(&mut self, keeper: &Keeper) -> Result<(), SourceError> {
        let ends = keeper.settings.scratch().is_some_and(|it| it.is_closed());
        if self.rests() || ends {
            return Ok(());
        }
        if keeper.shelf.can_wait() {
            let until = *self
                .deferred
                .get_or_insert_with(|| Instant::now() + DEFERENCE);
            if until > Instant::now() {
                return Ok(());
            }
        }
        self.deferred = None;
        loop {
            let coming = keeper.shelf.fresh() + self.unborn.len() + self.sealing.len();
            if coming >= keeper.shelf.target || self.unborn.len() >= ASKED {
                return Ok(());
            }
            let slot = keeper.groups.as_ref().map(Groups::take).transpose()?;
            let (ours, theirs) = cell::ends().map_err(cell::CellError::from)?;
            let scratch = keeper.settings.scratch();
            let directory = scratch.map(Scratch::directory).transpose();
            let directory = directory.map_err(cell::CellError::from)?;
            let users = keeper.settings.users.as_ref();
            let user = match users.map(Users::take).transpose() {
                Ok(user) => user,
                Err(error) => {
                    self.refuse(keeper, "take a uid", &error);
                    return Ok(());
                }
            };
            let number = self.next;
            self.next += 1;
            {
                let more = directory.iter().map(Directory::as_fd);
                let more = more.chain(slot.iter().flat_map(Slot::doors));
                let descriptors: Vec<BorrowedFd<'_>> = theirs.as_fds().chain(more).collect();
                let inside = keeper.settings.wall.identity.inside;
                let request = Request::Fork {
                    cell: number,
                    rehearse: !keeper.shelf.wants_more_than(coming),
                    uid: user.as_ref().map(|user| user.within(inside)),
                };
                self.wall.control.send(&request, &descriptors).await?;
            }
            let unborn = Unborn {
                ends: ours,
                slot,
                user,
                directory,
                asked: Instant::now(),
            };
            self.unborn.insert(number, unborn);
        }
    }

    /// Takes what the zygote says.
    pub(super) fn take(
        &mut self,
        event: Result<(Event, Option<OwnedFd>), ControlError>,
        keeper: &Keeper,
    ) -> Result<(), ControlError> {
        match event? {
            (Event::Forked { cell, script }, Some(init)) => {
                if let Some(unborn) = self.unborn.remove(&cell) {
                    let wall = Arc::clone(&self.wall);
                    let within = keeper.settings.start_timeout;
                    let refill = keeper.shelf.refill.clone();
                    self.sealing.spawn(async move {
                        let Unborn {
                            ends, slot, user, ..
                        } = unborn;
                        let place = unborn
                            .directory
                            .map(|directory| Place::new(directory, script));
                        let mut cell = Cell::new(ends, init, slot, place.transpose()?, wall)?;
                        cell.belongs_to(user);
                        cell.sealed(within).await?;
                        refill.observe(unborn.asked.elapsed().as_secs_f64());
                        Ok(cell)
                    });
                }
            }
            (Event::ForkFailed { cell, step, error }, _) => {
                self.unborn.remove(&cell);
                self.refuse(keeper, &step, &error);
            }
            (
                Event::Begins { .. } | Event::Ready(_) | Event::Fatal { .. } | Event::Forked { .. },
                _,
            ) => {
                return Err(ControlError::Closed);
            }
        }
        Ok(())
    }
}
