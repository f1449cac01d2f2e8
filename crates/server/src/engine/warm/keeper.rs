//! Keeps one zygote alive and the shelf filled from it.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use tokio::sync::watch;

use super::{Shelf, nursery::Nursery, silence::Silence};
use crate::{
    cgroup::Groups,
    engine::{
        settings::EnvironmentSettings,
        source::{SourceError, setup},
    },
    wall::Wall,
};

/// How long to wait after a zygote failed to start, or to make a cell, before it is tried again.
pub(super) const BACK_OFF: Duration = Duration::from_millis(500);

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
    pub(super) settings: Arc<EnvironmentSettings>,
    pub(super) groups: Option<Arc<Groups>>,
    pub(super) shelf: Arc<Shelf>,
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

    pub(super) fn report(&self, step: &str, error: &dyn std::fmt::Display) {
        tracing::error!(%error, step, environment = self.settings.name, "a cell was not made");
        let failure = FailureText {
            step: step.to_owned(),
            error: error.to_string(),
        };
        self.failed.send_replace(Some(failure));
    }
}
