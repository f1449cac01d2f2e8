//! The control channel between the server and a zygote: one JSON document per packet, descriptors
//! beside it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::preparation::Preparation;

/// Largest control packet in bytes.
pub const MAX_CONTROL: usize = 128 * 1024;

/// From the server to the zygote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Request {
    /// The first message: what to import and how to seal cells.
    Setup(Setup),
    /// Fork one cell. Descriptors beside it, in this order: the cell channel, stdout, stderr, the
    /// pipe for init's report, the cell's directory if it has no namespaces, then one per cgroup that
    /// the cell is to join.
    Fork {
        /// The server's number for the cell.
        cell: u64,
        /// Whether the cell runs a small job of its own before it says that it is ready: a client
        /// waits less for it then, but all in all it costs more, so not where one waits already.
        rehearse: bool,
    },
}

/// How a zygote prepares itself and its cells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setup {
    /// Modules to import, in order.
    pub preload: Vec<String>,
    /// Python source, run once after the imports, so that first-use work is paid before forking.
    pub exercise: String,
    /// Modules that scripts may not import themselves, each with the reason, if there is one to tell.
    pub restricted: BTreeMap<String, Option<String>>,
    /// What a zygote is to leave out of what makes forks cheap.
    pub without: BTreeSet<Preparation>,
    /// The sandbox policy of the cells, as the sandbox crate serialises it.
    pub policy: serde_json::Value,
}

/// From the zygote to the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Imports done; forks may be asked for.
    Ready(Ready),
    /// The zygote cannot serve. It exits after this.
    Fatal {
        /// What it was doing.
        stage: String,
        /// What went wrong; an import error names the module.
        message: String,
    },
    /// A cell exists. Its init's pidfd comes beside this packet.
    Forked {
        /// The server's number for the cell.
        cell: u64,
        /// The pid of the script's process, where it has no pid namespace.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        script: Option<i32>,
    },
    /// A cell could not be made.
    ForkFailed {
        /// The server's number for the cell.
        cell: u64,
        /// The step that failed.
        step: String,
        /// What the kernel answered.
        error: String,
    },
}

/// What a zygote says of itself once it can fork.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// Such as `3.11.7`.
    pub python: String,
    /// Milliseconds that imports and exercise took.
    pub warm_ms: u64,
}
