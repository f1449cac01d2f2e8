//! What a cell is to be: data, handed from the server to the zygote as JSON.

use std::{collections::BTreeSet, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Layer, seccomp::Memory};

/// The sandbox of a cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellPolicy {
    /// Uid and gid inside the cell; the wall has the same, mapped to an unprivileged one outside.
    pub uid: u32,
    /// Host name inside the cell.
    pub hostname: String,
    /// Capacity of `/tmp` in bytes.
    pub tmp_bytes: u64,
    /// Files and directories that `/tmp` can hold.
    pub tmp_inodes: u64,
    /// Resource limits that hold for every run.
    pub limits: ResourceLimits,
    /// Layers left out: a named decision of the operator, or of a test that shows what the layer
    /// is for. Everything else is required.
    #[serde(default)]
    pub omit: BTreeSet<Layer>,
    /// The cell has no namespaces, and finds what it needs where the machine has it. See
    /// [`crate::in_place`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_place: Option<InPlace>,
}

/// Where the machine has what is mounted for cells with namespaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InPlace {
    /// The environment's root image.
    pub root: PathBuf,
    /// The runner, its native half and the init program.
    pub runtime: PathBuf,
}

/// Resource limits of a cell, getrlimit(2). Soft and hard limit are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceLimits {
    /// Processes and threads of the cell, init included (`RLIMIT_NPROC`; since Linux 5.14 it is
    /// counted in the cell's own user namespace).
    pub processes: u64,
    /// Open descriptors of one process (`RLIMIT_NOFILE`).
    pub open_files: u64,
    /// Bytes of one file (`RLIMIT_FSIZE`).
    pub file_bytes: u64,
    /// Signals that wait at a time, with what they carry (`RLIMIT_SIGPENDING`): the kernel counts those of
    /// all cells for the server's user as well. A signal beyond it arrives without, if it has none of its
    /// kind before it.
    pub pending_signals: u64,
    /// Bytes of the main thread's stack (`RLIMIT_STACK`).
    pub stack_bytes: u64,
}

impl Default for CellPolicy {
    fn default() -> Self {
        Self {
            uid: 1000,
            hostname: "cell".to_owned(),
            tmp_bytes: 64 << 20,
            tmp_inodes: 8192,
            limits: ResourceLimits {
                processes: 64,
                open_files: 256,
                file_bytes: 64 << 20,
                pending_signals: 256,
                stack_bytes: 8 << 20,
            },
            omit: BTreeSet::new(),
            in_place: None,
        }
    }
}

impl CellPolicy {
    /// Whether memory that a cell fills may become code.
    pub(crate) fn memory(&self) -> Memory {
        if self.has(Layer::NoExecutableMemory) {
            Memory::Data
        } else {
            Memory::Code
        }
    }

    /// Whether `layer` is to be put on.
    pub fn has(&self, layer: Layer) -> bool {
        !self.omit.contains(&layer)
    }
}
