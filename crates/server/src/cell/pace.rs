//! How fast a run may talk: no faster than the server can listen beside all else that it does.

use std::time::Duration;

use tokio::time::Instant;

/// Packets and reads that a run may have at once: as many as all of an output takes that is as long as
/// it may be by default, read by whole pipes.
const BURST: u32 = 64;
/// How many more it may have in each [`BEAT`].
const EACH_BEAT: u32 = 8;
/// The resolution of the runtime's timers.
const BEAT: Duration = Duration::from_millis(1);

/// What one run may still say before it has to wait. Listening is done in the server's own time, which
/// no limit of the run covers: several streams that never pause would have all of it, while their
/// writers wait for a full pipe as they would for any slow reader.
#[derive(Debug)]
pub(super) struct Pace {
    left: u32,
    filled: Instant,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            left: BURST,
            filled: now,
        }
    }

    /// Takes one of what is left; where nothing is, until when to wait first.
    pub(super) fn spend(&mut self, now: Instant) -> Option<Instant> {
        if self.left == 0 {
            let beats = now.saturating_duration_since(self.filled).as_millis();
            if beats == 0 {
                return Some(self.filled + BEAT);
            }
            let more = u32::try_from(beats).map_or(BURST, |beats| beats.saturating_mul(EACH_BEAT));
            self.left = more.min(BURST);
            self.filled = now;
        }
        self.left -= 1;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_some_in_each_beat() {
        let begun = Instant::now();
        let mut pace = Pace::new(begun);
        assert!((0..BURST).all(|_| pace.spend(begun).is_none()));
        assert_eq!(pace.spend(begun), Some(begun + BEAT));
        let within = begun + BEAT / 2;
        assert_eq!(
            pace.spend(within),
            Some(begun + BEAT),
            "asking puts nothing off"
        );
        let later = begun + BEAT;
        assert!((0..EACH_BEAT).all(|_| pace.spend(later).is_none()));
        assert_eq!(pace.spend(later), Some(later + BEAT));
        let rested = later + BEAT * 1000;
        assert!((0..BURST).all(|_| pace.spend(rested).is_none()));
        assert!(pace.spend(rested).is_some());
    }
}
