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
    cell::{self, Cell, ServerEnds},
    cgroup::{Groups, Slot},
    engine::{
        settings::EnvironmentSettings,
        source::{SourceError, setup},
    },
    wall::{ControlError, Wall},
};

/// How long to wait before starting a zygote again after one failed to start.
const BACK_OFF: Duration = Duration::from_millis(500);

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

/// Cells on their way: forked or about to be, not on the shelf yet.
struct Nursery {
    wall: Arc<Wall>,
    next: u64,
    unborn: HashMap<u64, (ServerEnds, Option<Slot>)>,
    sealing: JoinSet<Result<Cell, cell::CellError>>,
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
            let wall = match wall.take() {
                Some(wall) => wall,
                None => match start_wall(&self.settings).await {
                    Ok(wall) => wall,
                    Err(error) => {
                        tracing::error!(%error, environment = self.settings.name, "no zygote");
                        tokio::time::sleep(BACK_OFF).await;
                        continue;
                    }
                },
            };
            wall_life(&self, &mut None, wall).await;
            self.shelf.restarts.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Fills the shelf from one wall until it dies or is due for replacement.
async fn wall_life(keeper: &Keeper, _next: &mut Option<Wall>, wall: Wall) {
    let born = Instant::now();
    let wall = Arc::new(wall);
    let mut nursery = Nursery {
        wall: Arc::clone(&wall),
        next: 0,
        unborn: HashMap::new(),
        sealing: JoinSet::new(),
    };
    loop {
        let due = nursery.next >= keeper.settings.zygote_runs
            || born.elapsed() >= keeper.settings.zygote_age;
        if due && nursery.is_empty() {
            tracing::info!(
                environment = keeper.settings.name,
                "zygote is due for replacement"
            );
            return;
        }
        let taken = keeper.shelf.taken.notified();
        if !due && let Err(error) = nursery.fill(keeper).await {
            tracing::error!(%error, environment = keeper.settings.name, "zygote is lost");
            break;
        }
        tokio::select! {
            event = wall.control.receive() => {
                if let Err(error) = nursery.take(event, keeper) {
                    tracing::error!(%error, environment = keeper.settings.name, "zygote is lost");
                    break;
                }
            }
            Some(sealed) = nursery.sealing.join_next() => match sealed {
                Ok(Ok(cell)) => keeper.shelf.put(cell),
                Ok(Err(error)) => keeper.report("seal", &error),
                Err(error) => keeper.report("seal", &error),
            },
            () = taken => {}
        }
    }
    wall.mark_dead();
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
    fn is_empty(&self) -> bool {
        self.unborn.is_empty() && self.sealing.is_empty()
    }

    /// Asks for as many cells as the shelf lacks.
    async fn fill(&mut self, keeper: &Keeper) -> Result<(), SourceError> {
        while keeper.shelf.len() + self.unborn.len() + self.sealing.len() < keeper.shelf.target {
            let slot = keeper.groups.as_ref().map(Groups::take).transpose()?;
            let (ours, theirs) = cell::ends().map_err(cell::CellError::from)?;
            let number = self.next;
            self.next += 1;
            {
                let doors = slot.iter().flat_map(Slot::doors);
                let descriptors: Vec<BorrowedFd<'_>> = theirs.as_fds().chain(doors).collect();
                self.wall
                    .control
                    .send(&Request::Fork { cell: number }, &descriptors)
                    .await?;
            }
            self.unborn.insert(number, (ours, slot));
        }
        Ok(())
    }

    /// Takes what the zygote says.
    fn take(
        &mut self,
        event: Result<(Event, Option<OwnedFd>), ControlError>,
        keeper: &Keeper,
    ) -> Result<(), ControlError> {
        match event? {
            (Event::Forked { cell }, Some(init)) => {
                if let Some((ends, slot)) = self.unborn.remove(&cell) {
                    let wall = Arc::clone(&self.wall);
                    let within = keeper.settings.start_timeout;
                    self.sealing.spawn(async move {
                        let mut cell = Cell::new(ends, init, slot, wall)?;
                        cell.sealed(within).await?;
                        Ok(cell)
                    });
                }
            }
            (Event::ForkFailed { cell, step, error }, _) => {
                self.unborn.remove(&cell);
                keeper.report(&step, &error);
            }
            (Event::Ready(_) | Event::Fatal { .. } | Event::Forked { .. }, _) => {
                return Err(ControlError::Closed);
            }
        }
        Ok(())
    }
}
