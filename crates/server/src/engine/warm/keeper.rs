//! Keeps one zygote alive and the shelf filled from it.

use std::{
    collections::HashMap,
    os::fd::{BorrowedFd, OwnedFd},
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use cellblock_wire::control::{Event, Request};
use tokio::{sync::watch, task::JoinSet};

use super::Shelf;
use crate::{
    cell::{self, Cell, ServerEnds, place::Place},
    cgroup::{Groups, Slot},
    engine::{
        settings::EnvironmentSettings,
        source::{SourceError, setup},
    },
    scratch::{Directory, Scratch},
    users::{User, Users},
    wall::{ControlError, Wall},
};

/// How long to wait after a zygote failed to start, or to make a cell, before it is tried again.
const BACK_OFF: Duration = Duration::from_millis(500);

/// How long making new cells waits for the run that took one, while enough are ready: a fork keeps
/// a processor for some milliseconds, in which the kernel lets nobody else on it.
const DEFERENCE: Duration = Duration::from_millis(2);

/// Why a keeper gave a wall up, where that is worth telling who starts the engine.
pub(super) type Failure = Option<FailureText>;

/// An error as text, because it is told to whoever listens.
#[derive(Debug, Clone)]
pub(super) struct FailureText {
    step: String,
    error: String,
}

impl From<FailureText> for SourceError {
    fn from(FailureText { step, error }: FailureText) -> Self {
        Self::Fork { step, error }
    }
}

pub(super) struct Keeper {
    settings: Arc<EnvironmentSettings>,
    groups: Option<Arc<Groups>>,
    shelf: Arc<Shelf>,
    failed: watch::Sender<Failure>,
}

/// A cell that was asked for: its ends, its cgroup, its directory if it has no `/tmp`, and when.
#[derive(Debug)]
struct Unborn {
    ends: ServerEnds,
    slot: Option<Slot>,
    user: Option<User>,
    directory: Option<Directory>,
    asked: Instant,
}

/// Cells on their way: forked or about to be, not on the shelf yet.
struct Nursery {
    wall: Arc<Wall>,
    next: u64,
    unborn: HashMap<u64, Unborn>,
    sealing: JoinSet<Result<Cell, cell::CellError>>,
    /// Until when no cell is asked for, after a failure.
    rest: Instant,
    /// Until when the shelf is left as it is, for the sake of a run.
    deferred: Option<Instant>,
}

pub(super) async fn start_wall(settings: &EnvironmentSettings) -> Result<Wall, SourceError> {
    Ok(Wall::start(&settings.wall, setup(settings)?, settings.start_timeout).await?)
}

impl Keeper {
    pub(super) fn new(
        settings: Arc<EnvironmentSettings>,
        groups: Option<Arc<Groups>>,
        shelf: Arc<Shelf>,
        failed: watch::Sender<Failure>,
    ) -> Self {
        Self {
            settings,
            groups,
            shelf,
            failed,
        }
    }

    /// Keeps a zygote for ever, beginning with `wall`.
    pub(super) async fn run(self, mut wall: Option<Wall>) {
        loop {
            let current = match wall.take() {
                Some(wall) => wall,
                None => self.start().await,
            };
            wall = self.keep(current).await;
            self.shelf.restarts.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Starts a wall, however often it takes.
    async fn start(&self) -> Wall {
        loop {
            match start_wall(&self.settings).await {
                Ok(wall) => return wall,
                Err(error) => {
                    tracing::error!(%error, environment = self.settings.name, "no zygote");
                    tokio::time::sleep(BACK_OFF).await;
                }
            }
        }
    }

    /// Fills the shelf from one wall until it dies, or until its successor is ready: the wall that
    /// is due for replacement goes on meanwhile, so that there is no gap.
    async fn keep(&self, wall: Wall) -> Option<Wall> {
        let born = Instant::now();
        let wall = Arc::new(wall);
        let mut nursery = Nursery::new(Arc::clone(&wall));
        let mut successor = None;
        let mut room = Vec::new();
        loop {
            if wall.is_dead() {
                return self.lose(&wall, &"nsjail has ended");
            }
            if let Err(error) = nursery.fill(self).await {
                return self.lose(&wall, &error);
            }
            let due = nursery.next >= self.settings.zygote_runs
                || born.elapsed() >= self.settings.zygote_age;
            if due && successor.is_none() {
                tracing::info!(
                    environment = self.settings.name,
                    "a zygote is being replaced"
                );
                successor = Some(Box::pin(self.start()));
            }
            let replaced = async {
                match &mut successor {
                    Some(successor) => successor.await,
                    None => std::future::pending().await,
                }
            };
            let pause = nursery.pause_ends();
            tokio::select! {
                event = wall.control.receive(&mut room) => {
                    if let Err(error) = nursery.take(event, self) {
                        return self.lose(&wall, &error);
                    }
                }
                Some(sealed) = nursery.sealing.join_next() => match sealed {
                    Ok(Ok(cell)) => self.shelf.put(cell),
                    Ok(Err(error)) => nursery.refuse(self, "seal", &error),
                    // The server ends: its tasks are cancelled in any order.
                    Err(error) if error.is_cancelled() => {}
                    Err(error) => nursery.refuse(self, "seal", &error),
                },
                wall = replaced => return Some(wall),
                () = self.shelf.taken.notified() => {}
                () = Nursery::pause(pause) => {}
            }
        }
    }

    fn lose(&self, wall: &Wall, error: &dyn std::fmt::Display) -> Option<Wall> {
        tracing::error!(%error, environment = self.settings.name, "a zygote was lost");
        wall.mark_dead();
        None
    }
}

impl Keeper {
    fn report(&self, step: &str, error: &dyn std::fmt::Display) {
        tracing::error!(%error, step, environment = self.settings.name, "a cell was not made");
        let failure = FailureText {
            step: step.to_owned(),
            error: error.to_string(),
        };
        self.failed.send_replace(Some(failure));
    }
}

impl Nursery {
    fn new(wall: Arc<Wall>) -> Self {
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

    /// Whether no cell is asked for at the moment, because making one has just failed.
    fn rests(&self) -> bool {
        self.rest > Instant::now()
    }

    /// Waits until there is something to do that nobody tells of.
    async fn pause(rest: Option<Instant>) {
        match rest {
            Some(until) => tokio::time::sleep_until(until.into()).await,
            None => std::future::pending().await,
        }
    }

    fn pause_ends(&self) -> Option<Instant> {
        if self.rests() {
            Some(self.rest)
        } else {
            self.deferred
        }
    }

    fn refuse(&mut self, keeper: &Keeper, step: &str, error: &dyn std::fmt::Display) {
        self.rest = Instant::now() + BACK_OFF;
        keeper.report(step, error);
    }

    /// Asks for as many cells as the shelf lacks.
    async fn fill(&mut self, keeper: &Keeper) -> Result<(), SourceError> {
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
            let coming = keeper.shelf.len() + self.unborn.len() + self.sealing.len();
            if coming >= keeper.shelf.target {
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
    fn take(
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
