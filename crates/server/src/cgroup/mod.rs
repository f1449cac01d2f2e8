//! Control groups: a pool of them, one per cell at a time, reset and used again where the kernel can
//! reset them.
//!
//! Making and removing a group is slow and asynchronous in the kernel, so groups are kept. A cell's
//! process moves itself in, through files that the server opened (the kernel checks the opener's
//! rights), because moving oneself by the `tasks` file takes no machine-wide lock. cgroups(7)

mod hierarchy;
mod record;
mod slot;
mod unified;
mod weight;

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use thiserror::Error;

use crate::{
    config::{Cgroups, Config},
    lock::lock,
};
pub use hierarchy::{Hierarchies, Version};
use record::Record;
pub use slot::Slot;

/// How long it may take until the last process of the cells is gone, and how often that is tried.
const LEAVING: Duration = Duration::from_secs(10);
const BETWEEN: Duration = Duration::from_millis(10);

/// What every group limits, whatever runs in it.
#[derive(Debug, Clone, Copy)]
struct SlotLimits {
    /// Processes and threads.
    processes: u64,
}

/// The pool.
#[derive(Debug)]
pub struct Groups {
    hierarchies: Hierarchies,
    limits: SlotLimits,
    free: Mutex<Free>,
    record: Option<Record>,
}

#[derive(Debug, Default)]
struct Free {
    slots: Vec<slot::Group>,
    /// Not to be used again, and not to be removed yet when that was tried.
    spent: Vec<slot::Group>,
    made: u64,
}

/// Why there are no control groups. The machine's doing; the operator decides whether to go on.
#[derive(Debug, Error)]
pub enum GroupsError {
    /// No memory controller is mounted.
    #[error("no cgroup hierarchy with a memory controller is mounted")]
    NoMemoryController,
    /// A group could not be made or set up.
    #[error("cannot set up a cgroup at {path}: {source}", path = path.display())]
    Refused {
        /// Where.
        path: PathBuf,
        /// What the kernel answered.
        source: io::Error,
    },
}

impl Groups {
    /// Finds out by trying whether groups can be made below the one that this process is in, and
    /// removes what an earlier server left behind.
    ///
    /// `None` where the configuration wants none. What has been made is noted in the state directory.
    pub fn probe(config: &Config) -> Option<Result<Arc<Self>, GroupsError>> {
        match config.isolation.cgroups() {
            Cgroups::Off => None,
            Cgroups::Auto => Some(Self::probe_below(None, config)),
            Cgroups::Below(path) => Some(Self::probe_below(Some(&path), config)),
        }
    }

    /// `parent`: the directory of a version 2 group to make them below, not in that of this process.
    fn probe_below(parent: Option<&Path>, config: &Config) -> Result<Arc<Self>, GroupsError> {
        let state = &config.state_dir;
        let limits = SlotLimits {
            processes: u64::from(config.limits.processes),
        };
        record::sweep(state);
        let mut hierarchies = match parent {
            Some(parent) => Hierarchies::below(parent),
            None => Hierarchies::find()?,
        };
        hierarchies.prepare()?;
        let name = hierarchies.name().unwrap_or_default();
        let homes = hierarchies.homes().map(|(_, home)| home);
        // Without, the next server finds only what was left beside its own.
        let record = Record::keep(state, name, homes).ok();
        let groups = Arc::new(Self {
            record,
            hierarchies,
            limits,
            free: Mutex::new(Free::default()),
        });
        // The first one proves that the rest can be made.
        drop(groups.take()?);
        Ok(groups)
    }

    /// Which version of cgroups this is.
    pub fn version(&self) -> Version {
        self.hierarchies.version()
    }

    /// A group that nobody is in.
    pub fn take(self: &Arc<Self>) -> Result<Slot, GroupsError> {
        let (free, number) = {
            let mut state = lock(&self.free);
            let free = state.slots.pop();
            if free.is_none() {
                state.made += 1;
            }
            (free, state.made)
        };
        let group = match free {
            Some(group) => group,
            None => slot::Group::make(&self.hierarchies, number, self.limits)?,
        };
        Ok(Slot::new(group, Arc::clone(self)))
    }

    /// Removes all groups, once the last process has left them: the cells' end is on its way.
    pub async fn leave(self: &Arc<Self>) {
        let deadline = Instant::now() + LEAVING;
        loop {
            let groups = Arc::clone(self);
            // Slow in the kernel, and it fails only where the program ends.
            let removed = tokio::task::spawn_blocking(move || groups.remove()).await;
            if removed.unwrap_or(true) {
                return;
            }
            if Instant::now() >= deadline {
                tracing::warn!(
                    "cgroups are left, with processes in them; the next server removes them"
                );
                return;
            }
            tokio::time::sleep(BETWEEN).await;
        }
    }

    fn remove(&self) -> bool {
        let gone = self.hierarchies.remove();
        if gone && let Some(record) = &self.record {
            record.remove();
        }
        gone
    }

    fn give_back(&self, group: slot::Group) {
        lock(&self.free).slots.push(group);
    }

    /// Removes a group that cannot be used again, and those that could not be removed before.
    fn discard(&self, group: slot::Group) {
        let mut state = lock(&self.free);
        state.spent.push(group);
        state.spent.retain(|group| !group.remove());
    }
}

impl Drop for Groups {
    fn drop(&mut self) {
        self.remove();
    }
}
