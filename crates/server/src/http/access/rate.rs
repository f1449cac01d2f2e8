//! How often a key may ask: a bucket of tokens that fills at the key's rate.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use crate::lock::lock;

/// A bucket. Its clock is a parameter, so that tests need not wait.
#[derive(Debug)]
pub(super) struct Bucket {
    size: u32,
    per_second: f64,
    level: Mutex<Level>,
}

#[derive(Debug)]
struct Level {
    tokens: f64,
    at: Instant,
}

/// How a key stands: what `RateLimit` and `RateLimit-Policy` say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) struct Standing {
    /// Tokens that a full bucket holds.
    pub(in crate::http) quota: u32,
    /// Seconds in which an empty bucket fills.
    pub(in crate::http) window: u64,
    /// Tokens left.
    pub(in crate::http) remaining: u32,
    /// Seconds until the bucket is full again.
    pub(in crate::http) reset: u64,
}

impl Bucket {
    /// A full bucket.
    pub(super) fn new(per_minute: u32, size: u32, now: Instant) -> Self {
        let tokens = f64::from(size);
        Self {
            size,
            per_second: f64::from(per_minute) / 60.0,
            level: Mutex::new(Level { tokens, at: now }),
        }
    }

    /// Takes a token, or says after how many seconds there is one.
    pub(super) fn take(&self, now: Instant) -> Result<(), u64> {
        let mut level = lock(&self.level);
        level.tokens = self.tokens(&level, now);
        level.at = level.at.max(now);
        if level.tokens >= 1.0 {
            level.tokens -= 1.0;
            return Ok(());
        }
        Err(self.seconds_for(1.0 - level.tokens).max(1))
    }

    /// How the key stands now.
    pub(super) fn standing(&self, now: Instant) -> Standing {
        let level = lock(&self.level);
        let tokens = self.tokens(&level, now);
        let size = f64::from(self.size);
        Standing {
            quota: self.size,
            window: self.seconds_for(size),
            remaining: (1..=self.size)
                .take_while(|n| f64::from(*n) <= tokens)
                .last()
                .unwrap_or(0),
            reset: self.seconds_for(size - tokens),
        }
    }

    fn tokens(&self, level: &Level, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(level.at).as_secs_f64();
        (level.tokens + passed * self.per_second).min(f64::from(self.size))
    }

    /// Whole seconds, rounded up, in which so many tokens come.
    fn seconds_for(&self, tokens: f64) -> u64 {
        let time = Duration::try_from_secs_f64(tokens / self.per_second).unwrap_or_default();
        time.as_secs() + u64::from(time.subsec_nanos() > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_the_rate() {
        let start = Instant::now();
        let bucket = Bucket::new(6, 3, start);
        for _ in 0..3 {
            assert_eq!(bucket.take(start), Ok(()));
        }
        assert_eq!(bucket.take(start), Err(10), "one in ten seconds");
        let later = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(bucket.take(later(4)), Err(6));
        assert_eq!(bucket.take(later(11)), Ok(()));
        assert_eq!(
            bucket.standing(later(21)),
            Standing {
                quota: 3,
                window: 30,
                remaining: 1,
                reset: 19
            }
        );
        assert_eq!(bucket.standing(later(1000)).remaining, 3);
        assert_eq!(bucket.standing(later(1000)).reset, 0);
    }
}
