//! What a cell sends back beside the result: typed errors, file heads, setup failures.

use serde::{Deserialize, Serialize};

/// Largest error document in bytes: the runner caps the message at 8 KiB and the traceback at
/// 64 KiB of text, which JSON escapes can make six times as long.
pub const MAX_ERROR_DOCUMENT: usize = 512 * 1024;
/// Largest file head in bytes: a path is at most 4096 bytes.
pub const MAX_FILE_HEAD: usize = 32 * 1024;

/// The error types that a runner may report. Everything else is measured from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CellErrorType {
    /// The script does not compile.
    SyntaxError,
    /// No callable `main`, or what was sent does not fit it.
    MissingMain,
    /// An exception left the module body or `main()`.
    Exception,
    /// The script imported a restricted module.
    RestrictedImport,
    /// `main()` returned what JSON cannot hold.
    ResultNotJson,
    /// The encoded result is above its limit.
    ResultTooLarge,
    /// An uncaught `MemoryError`.
    MemoryLimit,
    /// `SystemExit` left the script.
    Exited,
    /// The runner itself failed: our fault, never shown to a client. Believed only before the script
    /// has started, since afterwards the script could say it as well.
    Internal,
}

/// A typed error, as the runner reports it. Hostile like all else: a script may forge its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellError {
    /// The type.
    #[serde(rename = "type")]
    pub kind: CellErrorType,
    /// One line for a person, such as `ZeroDivisionError: division by zero`.
    pub message: String,
    /// Line in the script as sent, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Column in that line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// As Python prints it, without the runner's own frames.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceback: Option<String>,
    /// The restricted module.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// Where in the result the offending value sits, such as `$.rows[3].when`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What to call instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The exit code of a `SystemExit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i64>,
}

/// Announces one output file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileHead {
    /// Relative to `/tmp`.
    pub path: String,
    /// Size in bytes.
    pub size: u64,
    /// The file matched, but did not fit the budget, so no content follows.
    #[serde(default)]
    pub omitted: bool,
}

/// Why a cell could not be sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetupFailure {
    /// The step's name, as the sandbox names it.
    pub step: String,
    /// What the kernel answered.
    pub error: String,
}
