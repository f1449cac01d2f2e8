//! The control channel between the server and a zygote: one JSON document per packet, descriptors
//! beside it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

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
        /// The cell's own user, as the zygote counts, where cells have one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        uid: Option<u32>,
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
    /// The zygote begins something that may fail, hang or end it, so that the server can name it.
    Begins {
        /// What it begins.
        stage: Stage,
    },
    /// Imports done; forks may be asked for.
    Ready(Ready),
    /// The zygote cannot serve. It exits after this.
    Fatal {
        /// What went wrong in the stage that it began last.
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

/// What a zygote does before it can fork.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It comes up.
    #[default]
    Start,
    /// It imports this module of the preload list.
    Import(String),
    /// It runs the exercise.
    Exercise,
    /// It looks for threads that the imports or the exercise started.
    Threads,
    /// It prepares its memory for forks, and gives up what it no longer needs.
    Forks,
}

impl Stage {
    /// Whether the environment's preload list or its exercise is at fault where this fails.
    pub fn is_of_preload(&self) -> bool {
        matches!(self, Self::Import(_) | Self::Exercise | Self::Threads)
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.write_str("starting"),
            Self::Import(module) => write!(f, "importing {module:?}"),
            Self::Exercise => f.write_str("running the exercise"),
            Self::Threads => f.write_str("looking for threads"),
            Self::Forks => f.write_str("preparing to fork"),
        }
    }
}

/// What a zygote says of itself once it can fork.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// Such as `3.11.7`.
    pub python: String,
    /// Milliseconds that imports and exercise took.
    pub warm_ms: u64,
    /// What is not as it would be in a fresh interpreter, for the operator: one sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}
