//! Control groups: a pool of them, one per cell at a time, reset and used again where the kernel can
//! reset them.
//!
//! Making and removing a group is slow and asynchronous in the kernel, so groups are kept. A cell's
//! process moves itself in, through files that the server opened (the kernel checks the opener's
//! rights), because moving oneself by the `tasks` file takes no machine-wide lock. cgroups(7)

mod hierarchy;
mod slot;
mod unified;
mod weight;

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use thiserror::Error;

pub use hierarchy::{Hierarchies, Version};
pub use slot::Slot;

/// What every group limits, whatever runs in it.
#[derive(Debug, Clone, Copy)]
pub struct SlotLimits {
    /// Processes and threads.
    pub processes: u64,
}

/// The pool.
#[derive(Debug)]
pub struct Groups {
    hierarchies: Hierarchies,
    limits: SlotLimits,
    free: Mutex<Free>,
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
    /// `parent`: the directory of a version 2 group to make them below instead.
    pub fn probe(parent: Option<&Path>, limits: SlotLimits) -> Result<Arc<Self>, GroupsError> {
        let mut hierarchies = match parent {
            Some(parent) => Hierarchies::below(parent),
            None => Hierarchies::find()?,
        };
        hierarchies.prepare()?;
        let groups = Arc::new(Self {
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
        let state = lock(&self.free);
        for group in state.slots.iter().chain(&state.spent) {
            group.remove();
        }
        drop(state);
        self.hierarchies.remove();
    }
}

/// A poisoned lock only means that some thread panicked between two plain assignments.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
