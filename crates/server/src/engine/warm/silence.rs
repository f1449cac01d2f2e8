//! Tells a zygote that hangs from one that is slow.
//!
//! A zygote is asked for cells and answers each time. One that owes an answer and neither gives it nor
//! works on it hangs: somebody stopped it, or it waits for something that does not come. One that runs,
//! wants to run, or waits inside the kernel, is slow, as all are on a machine that is busy, and gets as
//! long as an environment may take to start.

use std::time::{Duration, Instant};

use crate::{cell::usage_by_proc, wall::Wall};

/// How many looks it takes. More than one, because a server that was itself stopped for a while finds
/// the time over when it goes on, and so does its zygote.
const LOOKS: u32 = 4;

/// What is known of a zygote that owes an answer.
#[derive(Debug)]
pub(super) struct Silence {
    /// `None` where `/proc` does not show it: then only time counts.
    zygote: Option<u32>,
    between: Duration,
    longest: Duration,
    owed: Option<Owed>,
}

#[derive(Debug)]
struct Owed {
    since: Instant,
    next: Instant,
    /// Looks at which it did nothing.
    idle: u32,
    /// CPU time that it had used at the last look.
    cpu: Option<Duration>,
}

impl Silence {
    /// `bound`: how long a zygote may do nothing. `longest`: how long it may take, whatever it does.
    pub(super) fn new(wall: &Wall, bound: Duration, longest: Duration) -> Self {
        let zygote = wall.interpreter().ok();
        Self {
            zygote: zygote.map(|pid| pid.as_raw_pid().unsigned_abs()),
            between: bound / LOOKS,
            longest: longest.max(bound),
            owed: None,
        }
    }

    /// Notes that it has answered.
    pub(super) fn is_broken(&mut self) {
        self.owed = None;
    }

    /// When to look next; `None` where nothing is owed.
    pub(super) fn due(&mut self, waited_for: bool) -> Option<Instant> {
        if !waited_for {
            self.owed = None;
            return None;
        }
        let owed = self.owed.get_or_insert_with(|| {
            let now = Instant::now();
            Owed {
                since: now,
                next: now + self.between,
                idle: 0,
                cpu: None,
            }
        });
        Some(owed.next)
    }

    /// Looks; whether it hangs.
    pub(super) fn look(&mut self) -> bool {
        let Some(owed) = &mut self.owed else {
            return false;
        };
        owed.next = Instant::now() + self.between;
        let cpu = self.zygote.and_then(usage_by_proc::cpu);
        let state = self.zygote.and_then(usage_by_proc::state);
        // Running or ready to, or in the kernel where no signal reaches it, as while it forks: proc(5)
        let works = matches!(state, Some('R' | 'D')) || (owed.cpu.is_some() && cpu > owed.cpu);
        owed.cpu = cpu;
        owed.idle = if works { 0 } else { owed.idle + 1 };
        owed.idle >= LOOKS || owed.since.elapsed() >= self.longest
    }
}
