//! What an engine has done and has in stock: for `/metrics`.

/// The engine's figures at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentStats {
    /// Its configured name.
    pub name: String,
    /// Sealed cells that wait for an execution; none where cells are made when they are needed.
    pub ready: usize,
    /// Zygotes that were started in place of an older one.
    pub zygote_restarts: u64,
}
