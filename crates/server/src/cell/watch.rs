//! Looks at what a running cell uses, as seldom as its limits allow.

use std::{num::NonZero, os::fd::OwnedFd, sync::LazyLock, thread, time::Duration};

use tokio::time::Instant;

use super::{place::Place, usage_by_proc, verdict::Stop};
use crate::{cgroup::Slot, execution::Limits};

/// How often memory is looked at where no cgroup limits it.
const POLL: Duration = Duration::from_millis(20);
/// How often it is asked whether the cgroup has killed a process for memory.
const ASK: Duration = Duration::from_millis(100);
/// How often a run is looked at until it has aged: what it may take from others is as short as this.
const YOUNG: Duration = Duration::from_millis(25);
/// CPU time is never looked at more often than this.
const SHORTEST: Duration = Duration::from_millis(5);
/// To count files may take a fifth of the time at most.
const RARELY: u32 = 4;

/// Asked once: the answer is read from a dozen files.
static PROCESSORS: LazyLock<u32> = LazyLock::new(|| {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    u32::try_from(processors).unwrap_or(u32::MAX)
});

/// When to look next, and what for.
#[derive(Debug)]
pub(super) struct Watch {
    cpu: Duration,
    memory_bytes: u64,
    processors: u32,
    in_group: bool,
    young: bool,
    /// When to count the files of a cell without a file system of its own.
    files: Option<Instant>,
    pub(super) next: Instant,
}

impl Watch {
    /// `in_group`: a cgroup limits the cell's memory.
    /// `in_place`: nothing but this limits its files.
    pub(super) fn new(limits: &Limits, in_group: bool, in_place: bool) -> Self {
        let mut watch = Self {
            cpu: limits.cpu,
            memory_bytes: limits.memory_bytes,
            processors: *PROCESSORS,
            in_group,
            young: true,
            files: in_place.then(Instant::now),
            next: Instant::now(),
        };
        watch.sleep(limits.cpu);
        watch
    }

    /// The limit cannot be reached before every processor has worked off what is left of it.
    fn sleep(&mut self, cpu_left: Duration) {
        let soonest = (cpu_left / self.processors).max(SHORTEST);
        let at_most = match (self.in_group && self.files.is_none(), self.young) {
            (false, _) => POLL,
            (true, true) => YOUNG,
            (true, false) => ASK,
        };
        self.next = Instant::now() + soonest.min(at_most);
    }

    /// Looks. A cell that cannot be looked at is stopped by its wall-clock limit at the latest.
    pub(super) fn look(
        &mut self,
        mut slot: Option<&mut Slot>,
        init: &OwnedFd,
        place: Option<&Place>,
    ) -> Option<Stop> {
        if slot.as_deref().is_some_and(Slot::has_killed) {
            return Some(Stop::Memory);
        }
        let seen = if self.in_group {
            None
        } else {
            usage_by_proc::of_cell(init, place.map(Place::inherited))
        };
        let cpu = slot
            .as_deref()
            .and_then(Slot::cpu)
            .or(seen.map(|seen| seen.cpu));
        if let (Some(slot), Some(cpu)) = (&mut slot, cpu) {
            self.young = !slot.age(cpu);
        }
        if cpu.is_some_and(|cpu| cpu >= self.cpu) {
            return Some(Stop::Cpu);
        }
        if seen.is_some_and(|seen| seen.memory_bytes > self.memory_bytes) {
            return Some(Stop::Memory);
        }
        if place.is_some_and(|place| self.finds_too_much(place)) {
            return Some(Stop::Files);
        }
        self.sleep(self.cpu.saturating_sub(cpu.unwrap_or_default()));
        None
    }

    /// Looks a last time, at what cannot have been seen to be too much while it came to be.
    pub(super) fn last(place: Option<&Place>) -> Stop {
        match place {
            Some(place) if place.is_over() => Stop::Files,
            _ => Stop::Done,
        }
    }

    fn finds_too_much(&mut self, place: &Place) -> bool {
        let now = Instant::now();
        if self.files.is_none_or(|due| due > now) {
            return false;
        }
        let over = place.is_over();
        self.files = Some(now + (now.elapsed() * RARELY).max(POLL));
        over
    }
}
