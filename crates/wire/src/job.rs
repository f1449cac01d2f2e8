//! What the server hands to a cell: first the limits, then the job.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

/// Limits that the cell's native half lowers on itself before the job arrives. The job's author
/// cannot raise them: both the soft and the hard limit are set, and the cell has no capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CellLimits {
    /// Bytes that one process may add to what it inherited (`RLIMIT_DATA` and `RLIMIT_AS`,
    /// each on top of the size at this moment); the cgroup, where there is one, counts them all.
    pub memory_bytes: u64,
    /// CPU seconds of one process, rounded up: the kernel's own backstop (`RLIMIT_CPU`).
    pub cpu_seconds: u64,
}

/// One run, as the runner inside the cell reads it.
#[derive(Debug, Serialize)]
pub struct Job<'a> {
    /// Python source.
    pub script: &'a str,
    /// Whether `main` is called.
    #[serde(skip_serializing_if = "Mode::is_main")]
    pub mode: Mode,
    /// Handed to `main` where it takes an argument; absent where the client gave none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<&'a RawValue>,
    /// An object whose values are handed to `main` by their names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments: Option<&'a RawValue>,
    /// What descriptor 0 reads.
    pub stdin: &'a str,
    /// Added to the cell's environment.
    pub env: &'a BTreeMap<String, String>,
    /// Written below `/tmp` before the script starts.
    pub files: &'a [JobFile],
    /// Globs below `/tmp` of files to send back.
    pub output_files: &'a [String],
    /// Budgets that the runner keeps, and the server checks again.
    pub limits: JobLimits,
}

/// How a script is run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Its `main` is called, and what that returns is the result.
    #[default]
    Main,
    /// It runs as a program, and the value of its last expression is the result.
    Script,
}

impl Mode {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde passes a reference"
    )]
    fn is_main(&self) -> bool {
        *self == Self::Main
    }
}

/// A file to lay down before the script starts: exactly one of the two contents is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JobFile {
    /// Relative path below `/tmp`.
    pub path: String,
    /// The content as text, written as UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The content, base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

/// Budgets of one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct JobLimits {
    /// Bytes of the encoded result.
    pub result_bytes: u64,
    /// Bytes of all output files together.
    pub output_files_bytes: u64,
    /// Number of output files.
    pub output_files_count: u64,
}
