//! What an engine is told, once, when it starts.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use cellblock_sandbox::CellPolicy;
use cellblock_wire::preparation::Preparation;

use super::Isolation;
use crate::{config::EngineKind, scratch::Scratch, users::Users, wall::WallSpec};

/// Everything.
#[derive(Debug)]
pub struct EngineSettings {
    /// How many executions may run and wait.
    pub admission: AdmissionSettings,
    /// What an answer may hold.
    pub run: RunSettings,
    /// The environments.
    pub environments: Vec<EnvironmentSettings>,
    /// The layers in force, as they are reported.
    pub isolation: Isolation,
}

impl EnvironmentSettings {
    /// Where its cells have their directories, if they have no namespaces.
    pub(super) fn scratch(&self) -> Option<&Arc<Scratch>> {
        self.wall.in_place.as_ref().map(|place| &place.scratch)
    }
}

/// How many executions may run and wait.
#[derive(Debug, Clone, Copy)]
pub struct AdmissionSettings {
    /// Executions that run at the same time.
    pub running: usize,
    /// Executions that wait for a place.
    pub waiting: usize,
    /// How long one may wait.
    pub patience: Duration,
}

/// What an answer may hold.
#[derive(Debug, Clone, Copy)]
pub struct RunSettings {
    /// Bytes kept of stdout.
    pub stdout_bytes: u64,
    /// Bytes kept of stderr.
    pub stderr_bytes: u64,
    /// Bytes of the encoded result.
    pub result_bytes: u64,
    /// Bytes of all output files.
    pub output_files_bytes: u64,
    /// Number of output files.
    pub output_files_count: u64,
}

/// One environment.
#[derive(Debug, Clone)]
pub struct EnvironmentSettings {
    /// Its name.
    pub name: String,
    /// Which engine runs it.
    pub kind: EngineKind,
    /// The wall around it.
    pub wall: WallSpec,
    /// Where its cells have uids of their own from.
    pub users: Option<Arc<Users>>,
    /// The sandbox of its cells.
    pub policy: Arc<CellPolicy>,
    /// Modules to import before forking.
    pub preload: Vec<String>,
    /// Python source to run before forking.
    pub exercise: String,
    /// Modules that scripts may not import.
    pub restricted: Vec<String>,
    /// What its zygotes leave out of what makes forks cheap.
    pub without: BTreeSet<Preparation>,
    /// Cells to keep ready.
    pub warm_cells: usize,
    /// Zygotes to keep.
    pub zygotes: usize,
    /// Cells after which a zygote is replaced.
    pub zygote_runs: u64,
    /// Age at which a zygote is replaced.
    pub zygote_age: Duration,
    /// How long a zygote that owes a cell may do nothing.
    pub zygote_silence: Duration,
    /// How long a wall may take to become ready.
    pub start_timeout: Duration,
}
