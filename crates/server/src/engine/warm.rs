//! The warm engine: zygotes that fork cells ahead of need.

mod keeper;
mod nursery;
mod silence;
mod standing;

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use prometheus_client::metrics::histogram::Histogram;
use tokio::{
    sync::{Notify, Semaphore, watch},
    task::JoinSet,
};

use super::{EnvironmentStats, SECONDS, settings::EnvironmentSettings, source::SourceError};
use crate::{cell::Cell, cgroup::Groups, lock::lock, wall::Wall};
use keeper::Keeper;
use standing::Standing;
pub(super) use standing::Trouble;

/// The cells of one environment that wait for a job, and the keepers that make more.
#[derive(Debug)]
pub(super) struct Warm {
    shelf: Arc<Shelf>,
    patience: std::time::Duration,
    python: String,
    warnings: Vec<String>,
    // Ended when dropped.
    keepers: Mutex<JoinSet<()>>,
}

/// Where sealed cells wait. Oldest first, so that none waits for long.
#[derive(Debug)]
struct Shelf {
    cells: Mutex<VecDeque<Cell>>,
    // One permit per cell on the shelf; waiters are served in order.
    filled: Semaphore,
    // Told whenever a cell was taken.
    taken: Notify,
    target: usize,
    // Requests that have no cell yet, wherever they wait.
    wanted: AtomicUsize,
    standing: Standing,
    // Zygotes started in place of an older one.
    restarts: AtomicU64,
    // Seconds from asking for a cell until it is here.
    refill: Histogram,
}

impl Shelf {
    /// Puts one there; in the place of one whose zygote has been replaced, if there is such a one: what
    /// the zygote's cells have in common, such as the secret of hashes, is not to last longer than it.
    fn put(&self, cell: Cell) {
        let mut cells = self.lock();
        cells.push_back(cell);
        let old = cells.iter().position(Cell::is_retired);
        let old = old.and_then(|place| cells.remove(place));
        drop(cells);
        match old {
            Some(old) => put_away(old),
            None => self.filled.add_permits(1),
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Cell>> {
        lock(&self.cells)
    }

    async fn take(&self) -> Option<Cell> {
        self.filled.acquire().await.ok()?.forget();
        let cell = self.lock().pop_front();
        self.taken.notify_one();
        cell
    }

    /// Takes away the cells of a wall that has ended, or is given up.
    fn purge(&self, wall: &Arc<Wall>) {
        let mut cells = self.lock();
        let all = std::mem::take(&mut *cells).into_iter();
        let (gone, kept): (VecDeque<_>, _) = all.partition(|cell| cell.is_of(wall));
        *cells = kept;
        // Whoever has a permit already finds a cell less, and asks again.
        self.filled.forget_permits(gone.len());
        drop(cells);
        gone.into_iter().for_each(put_away);
    }

    /// Whether more requests than `cells` have none yet.
    fn wants_more_than(&self, cells: usize) -> bool {
        self.wanted.load(Ordering::Relaxed) > cells
    }

    /// Whether making cells can wait: there are enough for who comes next.
    fn can_wait(&self) -> bool {
        self.fresh() * 2 >= self.target
    }

    /// How many are there that need not be replaced.
    fn fresh(&self) -> usize {
        let cells = self.lock();
        cells.iter().filter(|cell| !cell.is_retired()).count()
    }

    fn len(&self) -> usize {
        self.lock().len()
    }
}

/// Ends a cell that nobody is to have, beside everything else.
fn put_away(mut cell: Cell) {
    tokio::spawn(async move {
        cell.end().await;
    });
}

/// A request that has no cell yet, until it is dropped.
#[derive(Debug)]
pub(super) struct Want(Arc<Shelf>);

impl Drop for Want {
    fn drop(&mut self) {
        self.0.wanted.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Warm {
    /// Notes that somebody is going to take a cell.
    pub(super) fn want(&self) -> Want {
        self.shelf.wanted.fetch_add(1, Ordering::Relaxed);
        Want(Arc::clone(&self.shelf))
    }

    /// Whether somebody waits for a cell now.
    pub(super) fn is_wanted(&self) -> bool {
        self.shelf.wants_more_than(0)
    }

    /// Starts the zygotes and waits until the first of them is ready.
    pub(super) async fn start(
        settings: EnvironmentSettings,
        groups: Option<Arc<Groups>>,
    ) -> Result<Self, SourceError> {
        let patience = settings.start_timeout;
        let zygotes = settings.zygotes.max(1);
        let target = settings.warm_cells.max(1).div_ceil(zygotes);
        let shelf = Arc::new(Shelf {
            cells: Mutex::default(),
            filled: Semaphore::new(0),
            taken: Notify::new(),
            target: target * zygotes,
            wanted: AtomicUsize::new(0),
            standing: Standing::new(zygotes),
            restarts: AtomicU64::new(0),
            refill: Histogram::new(SECONDS),
        });
        let settings = Arc::new(settings);
        // The first tells whether it can be done at all.
        let first = keeper::start_wall(&settings).await?;
        let (python, warnings) = (first.ready.python.clone(), first.ready.warnings.clone());
        for warning in &warnings {
            tracing::warn!(environment = settings.name, "{warning}");
        }
        let mut keepers = JoinSet::new();
        let (failed, mut failures) = watch::channel(None);
        let mut first = Some(first);
        for number in 0..zygotes {
            let keeper = Keeper::new(
                number,
                Arc::clone(&settings),
                groups.clone(),
                Arc::clone(&shelf),
                failed.clone(),
            );
            keepers.spawn(keeper.run(first.take()));
        }
        let warm = Self {
            shelf,
            patience,
            python,
            warnings,
            keepers: Mutex::new(keepers),
        };
        // Ready means that a request would meet a cell.
        tokio::select! {
            taken = warm.take() => warm.shelf.put(taken?),
            failure = failures.wait_for(Option::is_some) => {
                if let Some(failure) = failure.ok().and_then(|failure| failure.clone()) {
                    return Err(failure.into());
                }
            }
        }
        Ok(warm)
    }

    pub(super) async fn take(&self) -> Result<Cell, SourceError> {
        let cell = async {
            loop {
                match self.shelf.take().await {
                    // Its wall may have died while it waited.
                    Some(cell) if cell.stands() => return cell,
                    Some(cell) => put_away(cell),
                    None => {}
                }
            }
        };
        tokio::time::timeout(self.patience, cell)
            .await
            .map_err(|_| SourceError::Timeout(self.patience))
    }

    pub(super) fn stats(&self, name: String) -> EnvironmentStats {
        EnvironmentStats {
            name,
            ready: self.shelf.len(),
            zygote_restarts: self.shelf.restarts.load(Ordering::Relaxed),
            refill: Some(self.shelf.refill.clone()),
        }
    }

    /// Ends the zygotes, and the cells on the shelf with them: whoever drops the last cell of a wall ends
    /// the wall, and the kernel all that is in it.
    pub(super) async fn end(&self) {
        let mut keepers = std::mem::take(&mut *lock(&self.keepers));
        keepers.shutdown().await;
        self.shelf.lock().clear();
    }

    /// What is wrong with its zygotes, if anything is.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        self.shelf.standing.trouble()
    }

    pub(super) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    pub(super) fn python(&self) -> &str {
        &self.python
    }
}
