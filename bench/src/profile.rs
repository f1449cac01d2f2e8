//! How long to measure.

use std::time::Duration;

/// One way to run the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: &'static str,
    /// How often everything is measured.
    pub rounds: usize,
    /// No round begins that would end later than this: on a busy machine there are fewer.
    pub budget: Duration,
    /// For how long each time.
    pub window: Duration,
    /// How long to leave the machine to the servers after each time: pools are filled again.
    pub pause: Duration,
    /// Numbers of clients of the cold engine.
    pub cold_clients: &'static [usize],
    /// Measure also forks of an interpreter that was exercised before.
    pub exercised: bool,
    /// How often the start is timed.
    pub starts: usize,
    /// Runs of the stability check; none if zero.
    pub stability_runs: usize,
}

/// Numbers of clients of the warm engine.
pub const CLIENTS: [usize; 4] = [1, 2, 8, 64];

/// How long a client with pauses waits after each answer: long enough for the pool to be full again.
pub const THINK: Duration = Duration::from_millis(10);

/// About a minute.
pub const QUICK: Profile = Profile {
    name: "quick",
    rounds: 2,
    budget: Duration::from_secs(50),
    window: Duration::from_millis(400),
    pause: Duration::from_millis(60),
    cold_clients: &[1, 8],
    exercised: false,
    starts: 1,
    stability_runs: 0,
};

/// About five minutes.
pub const DEFAULT: Profile = Profile {
    name: "default",
    rounds: 4,
    budget: Duration::from_secs(260),
    window: Duration::from_millis(750),
    pause: Duration::from_millis(80),
    cold_clients: &CLIENTS,
    exercised: true,
    starts: 3,
    stability_runs: 0,
};

/// The default, and 20 000 runs in a row.
pub const FULL: Profile = Profile {
    name: "full",
    stability_runs: 20_000,
    ..DEFAULT
};
