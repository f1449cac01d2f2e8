//! A request for an execution, validated: whatever made one of these, HTTP or the command line,
//! an engine may run it without further checks.

use std::{collections::BTreeMap, time::Duration};

use cellblock_wire::job::{JobFile, Mode};
use serde_json::value::RawValue;

use super::Client;

/// What to run and under which limits.
#[derive(Debug, Clone)]
pub struct ExecutionRequest {
    /// Python source: not empty, no NUL, at most the configured size.
    pub script: String,
    /// How it is run.
    pub mode: Mode,
    /// Handed to `main` where it takes an argument; not in mode `script`.
    pub input: Option<Box<RawValue>>,
    /// An object of arguments for `main`; not beside `input`, nor in mode `script`.
    pub arguments: Option<Box<RawValue>>,
    /// What descriptor 0 reads.
    pub stdin: String,
    /// Added to the cell's environment: names without `=` or NUL, values without NUL.
    pub env: BTreeMap<String, String>,
    /// Laid down below `/tmp`: relative paths, no `..`.
    pub files: Vec<JobFile>,
    /// Globs below `/tmp` of files to return.
    pub output_files: Vec<String>,
    /// Limits, each within the server's maximum.
    pub limits: Limits,
    /// Name of a configured environment.
    pub environment: String,
    /// Who asks: places are given to clients in turn.
    pub client: Client,
    /// Whether the outcome's CPU time must be exact, at the price of waiting for the cell's end.
    pub measure: bool,
}

impl ExecutionRequest {
    /// The output files that are asked for by name, not by a pattern.
    pub fn named_files(&self) -> impl Iterator<Item = &str> {
        let names = self.output_files.iter().map(String::as_str);
        names.filter(|name| !name.contains(['*', '?', '[']))
    }
}

/// The limits of one execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Wall clock, from the moment the cell gets the job.
    pub timeout: Duration,
    /// CPU time over all the cell's processes.
    pub cpu: Duration,
    /// Bytes of memory the run may add.
    pub memory_bytes: u64,
}
