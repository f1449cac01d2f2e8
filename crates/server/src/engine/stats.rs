//! What an engine has done and has in stock: for `/metrics`.

use prometheus_client::metrics::histogram::Histogram;

/// Upper bounds in seconds of what is timed: from a warm cell's answer to the longest run.
pub const SECONDS: [f64; 15] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];

/// The engine's figures at one moment.
#[derive(Debug, Clone, Default)]
pub struct EngineStats {
    /// Executions that may run at once.
    pub places: usize,
    /// Places that are taken: by what runs, and by what is being cleared up.
    pub running: usize,
    /// Executions that wait for a place.
    pub waiting: usize,
    /// Every configured environment, by name.
    pub environments: Vec<EnvironmentStats>,
}

/// The figures of one environment.
#[derive(Debug, Clone)]
pub struct EnvironmentStats {
    /// Its configured name.
    pub name: String,
    /// Sealed cells that wait for an execution; none where cells are made when they are needed.
    pub ready: usize,
    /// Zygotes that were started in place of an older one.
    pub zygote_restarts: u64,
    /// Seconds from asking a zygote for a cell until it is sealed and in stock; `None` where there
    /// is no stock.
    pub refill: Option<Histogram>,
}

impl EnvironmentStats {
    /// Those of an environment without a stock of cells.
    pub(super) fn none(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ready: 0,
            zygote_restarts: 0,
            refill: None,
        }
    }
}
