//! Keeps one zygote alive and the shelf filled from it.

use std::{
    collections::HashMap,
    os::fd::{BorrowedFd, OwnedFd},
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use cellblock_wire::control::{Event, Request};
use tokio::{sync::watch, task::JoinSet};

use super::{Shelf, silence::Silence};
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

/// How many cells a zygote may be asked for before it has answered: it makes them one by one, and a
/// channel that is full would keep the keeper waiting.
const ASKED: usize = 16;

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
    /// Among those of its environment.
    number: usize,
    settings: Arc<EnvironmentSettings>,
    groups: Option<Arc<Groups>>,
    shelf: Arc<Shelf>,
    failed: watch::Sender<Failure>,
}

/// Which zygote of a keeper is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// The one that it has to have.
    Own,
    /// One that is to take the place of another, which goes on meanwhile.
    Successors,
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
        number: usize,
        settings: Arc<EnvironmentSettings>,
        groups: Option<Arc<Groups>>,
        shelf: Arc<Shelf>,
        failed: watch::Sender<Failure>,
    ) -> Self {
        Self {
            number,
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
                None => self.start(Whose::Own).await,
            };
            self.shelf.standing.has(self.number);
            wall = self.keep(current).await;
            self.shelf.restarts.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Starts a wall, however often it takes.
    async fn start(&self, whose: Whose) -> Wall {
        loop {
            match start_wall(&self.settings).await {
                Ok(wall) => return wall,
                Err(error) => {
                    tracing::error!(%error, environment = self.settings.name, "no zygote");
                    if whose == Whose::Own {
                        self.lacks(&error.for_clients());
                    }
                    tokio::time::sleep(BACK_OFF).await;
                }
            }
        }
    }

    /// Fills the shelf from one wall until it dies, or until its successor is ready: the wall that
    /// is due for replacement goes on meanwhile, so that there is no gap, and makes the cells that it was
    /// asked for.
    async fn keep(&self, wall: Wall) -> Option<Wall> {
        let born = Instant::now();
        let wall = Arc::new(wall);
        let mut nursery = Nursery::new(Arc::clone(&wall));
        let bound = self.settings.zygote_silence;
        let mut silence = Silence::new(&wall, bound, self.settings.start_timeout);
        let mut successor = None;
        let mut next = None;
        let mut room = Vec::new();
        loop {
            if wall.is_dead() {
                self.lose(&wall, &"nsjail has ended");
                return next;
            }
            if next.is_some() && nursery.is_empty() {
                wall.retire();
                return next;
            }
            if next.is_none()
                && let Err(error) = nursery.fill(self).await
            {
                self.lose(&wall, &error);
                return next;
            }
            let due = nursery.next >= self.settings.zygote_runs
                || born.elapsed() >= self.settings.zygote_age;
            if due && successor.is_none() && next.is_none() {
                tracing::info!(
                    environment = self.settings.name,
                    "a zygote is being replaced"
                );
                successor = Some(Box::pin(self.start(Whose::Successors)));
            }
            let replaced = async {
                match &mut successor {
                    Some(successor) => successor.await,
                    None => std::future::pending().await,
                }
            };
            let pause = nursery.pause_ends();
            let of_age = (!due).then(|| born + self.settings.zygote_age);
            let look = silence.due(!nursery.unborn.is_empty());
            tokio::select! {
                // What the zygote has said comes before the thought that it says nothing.
                biased;
                event = wall.control.receive(&mut room) => {
                    silence.is_broken();
                    if let Err(error) = nursery.take(event, self) {
                        self.lose(&wall, &error);
                        return next;
                    }
                }
                Some(sealed) = nursery.sealing.join_next() => match sealed {
                    Ok(Ok(cell)) => self.shelf.put(cell),
                    Ok(Err(error)) => nursery.refuse(self, "seal", &error),
                    // The server ends: its tasks are cancelled in any order.
                    Err(error) if error.is_cancelled() => {}
                    Err(error) => nursery.refuse(self, "seal", &error),
                },
                wall = replaced => {
                    successor = None;
                    next = Some(wall);
                }
                () = self.shelf.taken.notified() => {}
                () = Nursery::pause(pause) => {}
                () = Nursery::pause(of_age) => {}
                () = Nursery::pause(look) => if silence.look() {
                    self.give_up(&wall);
                    return next;
                },
            }
        }
    }

    fn lose(&self, wall: &Arc<Wall>, error: &dyn std::fmt::Display) {
        tracing::error!(%error, environment = self.settings.name, "a zygote was lost");
        self.lacks("a zygote ended, and another is being started");
        self.abandon(wall);
    }

    /// Has a wall whose zygote hangs end with the last of the runs that go on in it, for these do not
    /// need the zygote.
    fn give_up(&self, wall: &Arc<Wall>) {
        let seconds = self.settings.zygote_silence.as_secs();
        tracing::error!(
            environment = self.settings.name,
            zygote = ?wall.interpreter().ok(),
            "a zygote did not answer within {seconds} s, and is replaced"
        );
        self.lacks("a zygote did not answer, and another is being started");
        self.abandon(wall);
    }

    fn abandon(&self, wall: &Arc<Wall>) {
        wall.mark_dead();
        self.shelf.purge(wall);
    }

    fn lacks(&self, reason: &str) {
        // Without namespaces the interpreter sees paths of this machine.
        let root = self.settings.wall.root.to_string_lossy();
        let reason = reason.replace(&*root, "");
        self.shelf.standing.lacks(self.number, reason);
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

    /// Whether no cell is on its way.
    fn is_empty(&self) -> bool {
        self.unborn.is_empty() && self.sealing.is_empty()
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
