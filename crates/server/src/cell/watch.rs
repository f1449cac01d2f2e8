//! Looks at what a running cell uses, as seldom as its limits allow.

use std::{num::NonZero, os::fd::OwnedFd, time::Duration};

use tokio::time::Instant;

use super::{usage_by_proc, verdict::Stop};
use crate::{
    cgroup::{Meter, Slot},
    execution::Limits,
};

/// How often memory is looked at where no cgroup limits it.
const POLL: Duration = Duration::from_millis(20);
/// How often to look whether a cgroup has killed a process for memory.
const KILLS: Duration = Duration::from_millis(100);
/// CPU time is never looked at more often than this.
const SHORTEST: Duration = Duration::from_millis(5);

/// When to look next, and what for.
#[derive(Debug)]
pub(super) struct Watch {
    cpu: Duration,
    memory_bytes: u64,
    processors: u32,
    /// Where memory is counted by a cgroup: what it had counted when the run began.
    meter: Option<Meter>,
    pub(super) next: Instant,
}

impl Watch {
    /// Without a `meter` no cgroup limits the cell's memory.
    pub(super) fn new(limits: &Limits, meter: Option<Meter>) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        let processors = u32::try_from(processors).unwrap_or(u32::MAX);
        let mut watch = Self {
            cpu: limits.cpu,
            memory_bytes: limits.memory_bytes,
            processors,
            meter,
            next: Instant::now(),
        };
        watch.sleep(limits.cpu);
        watch
    }

    /// The limit cannot be reached before every processor has worked off what is left of it.
    fn sleep(&mut self, cpu_left: Duration) {
        let soonest = (cpu_left / self.processors).max(SHORTEST);
        let poll = if self.meter.is_some() { KILLS } else { POLL };
        self.next = Instant::now() + soonest.min(poll);
    }

    /// Looks. A cell that cannot be looked at is stopped by its wall-clock limit at the latest.
    pub(super) fn look(&mut self, slot: Option<&Slot>, init: &OwnedFd) -> Option<Stop> {
        let seen = match &self.meter {
            // All of a run goes together: its own processes would wait for ever for one that the
            // kernel has killed.
            Some(meter) if slot.is_some_and(|slot| slot.killed_since(meter)) => {
                return Some(Stop::Memory);
            }
            Some(_) => None,
            None => usage_by_proc::of_cell(init),
        };
        let cpu = slot.and_then(Slot::cpu).or(seen.map(|seen| seen.cpu));
        if cpu.is_some_and(|cpu| cpu >= self.cpu) {
            return Some(Stop::Cpu);
        }
        if seen.is_some_and(|seen| seen.memory_bytes > self.memory_bytes) {
            return Some(Stop::Memory);
        }
        self.sleep(self.cpu.saturating_sub(cpu.unwrap_or_default()));
        None
    }
}
