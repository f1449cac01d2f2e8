//! A group's share of the processors: full for a run that is young, small for one that has run long,
//! so that a short run beside a spinning one is served almost as if it were alone. cgroups(7)

use std::{fs::File, path::Path};

use super::{
    Version,
    slot::{open, write_at_start},
};

/// `cpu.shares` of version 1, and `cpu.weight` of version 2: young, old. The young ones are the
/// kernel's defaults.
const SHARES: [&str; 2] = ["1024", "64"];
const WEIGHTS: [&str; 2] = ["100", "6"];

/// The file, kept open, and what stands in it.
#[derive(Debug)]
pub(super) struct Weight {
    file: File,
    values: [&'static str; 2],
    old: bool,
}

impl Weight {
    /// None where there is no CPU controller.
    pub(super) fn open(directory: &Path, version: Version) -> Option<Self> {
        let (name, values) = match version {
            Version::One => ("cpu.shares", SHARES),
            Version::Two => ("cpu.weight", WEIGHTS),
        };
        let file = open(directory, name, true).ok()?;
        Some(Self {
            file,
            values,
            old: false,
        })
    }

    /// Sets it, where it is not set so. Failing that, shares stay as they are, which costs neighbours
    /// time and nobody safety.
    pub(super) fn set(&mut self, old: bool) {
        if self.old != old && write_at_start(&self.file, self.values[usize::from(old)]) {
            self.old = old;
        }
    }
}
