//! How many cells there are, and who waits.

use std::{collections::BTreeSet, num::NonZero, thread::available_parallelism, time::Duration};

use cellblock_wire::preparation::Preparation;

use super::options::{UnknownName, named_in, options};

options! {
    /// How many cells there are, and who waits.
    PoolConfig from PoolOptions, ["pool"], "Pool";
    warm_cells: u32 = 4, in 0..=4096;
        "warm-cells", "CELLBLOCK_WARM_CELLS",
        "Sealed cells kept ready per environment by the warm engine.";
    max_running: u32 = 0, in 0..=65_536;
        "max-running", "CELLBLOCK_MAX_RUNNING",
        "Executions that run at once; 0 means two per core, at least four.";
    queue_length: u32 = 256, in 0..=1_000_000;
        "queue-length", "CELLBLOCK_QUEUE_LENGTH",
        "Executions that may wait for a place; more are answered 503 at once.";
    queue_timeout_ms: u64 = 10_000, in 0..=3_600_000;
        "queue-timeout-ms", "CELLBLOCK_QUEUE_TIMEOUT_MS",
        "Milliseconds that an execution may wait for a place before it is answered 503.";
    zygotes: u32 = 1, in 1..=256;
        "zygotes", "CELLBLOCK_ZYGOTES", "Zygotes per environment; more help on machines with many cores.";
    zygote_runs: u64 = 100_000, in 1..=1_000_000_000_000;
        "zygote-runs", "CELLBLOCK_ZYGOTE_RUNS",
        "Cells after which a zygote is replaced, and with it address layout, stack canary and hash secret.";
    zygote_seconds: u64 = 3600, in 1..=31_536_000;
        "zygote-seconds", "CELLBLOCK_ZYGOTE_SECONDS", "Seconds after which a zygote is replaced, and its idle cells with it.";
    zygote_silence_seconds: u64 = 10, in 1..=3_600;
        "zygote-silence-seconds", "CELLBLOCK_ZYGOTE_SILENCE_SECONDS",
        "Seconds after which a zygote that was asked for a cell, and neither answers nor works on it, is replaced.";
    start_seconds: u64 = 60, in 1..=3_600;
        "start-seconds", "CELLBLOCK_START_SECONDS",
        "Seconds that an environment may take to become ready: imports of large packages on a slow disk.";
    zygote_without: String = String::new();
        "zygote-without", "CELLBLOCK_ZYGOTE_WITHOUT",
        "What zygotes leave out of what makes forks cheap, by name, separated by commas, such as immortal.";
}

impl PoolConfig {
    /// Executions that run at once, with the automatic value worked out.
    pub fn running_places(&self) -> u32 {
        if self.max_running > 0 {
            return self.max_running;
        }
        let cores = available_parallelism().map_or(1, NonZero::get);
        u32::try_from(cores)
            .unwrap_or(u32::MAX)
            .saturating_mul(2)
            .max(4)
    }

    /// What zygotes leave out.
    ///
    /// # Errors
    /// The name that is no preparation's.
    pub fn unprepared(&self) -> Result<BTreeSet<Preparation>, UnknownName> {
        named_in(&self.zygote_without, &Preparation::ALL, Preparation::name)
    }

    /// Time that an environment may take to become ready.
    pub fn start_timeout(&self) -> Duration {
        Duration::from_secs(self.start_seconds)
    }

    /// Time that an execution may wait for a place.
    pub fn queue_timeout(&self) -> Duration {
        Duration::from_millis(self.queue_timeout_ms)
    }
}
