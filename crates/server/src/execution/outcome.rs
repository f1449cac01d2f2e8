//! What came of an execution.

use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// What came of an execution that was started.
#[derive(Debug)]
pub struct Outcome {
    /// What `main()` returned, as JSON text, or why there is no such thing.
    pub result: Result<Box<RawValue>, Failure>,
    /// What was written to descriptor 1, up to the limit; invalid UTF-8 is replaced.
    pub stdout: String,
    /// What was written to descriptor 2, up to the limit; invalid UTF-8 is replaced.
    pub stderr: String,
    /// What is not all here.
    pub truncated: Vec<Truncated>,
    /// The files asked for.
    pub files: Vec<OutputFile>,
    /// The names, without wildcards, that were asked for and are no file.
    pub missing: Vec<String>,
    /// What the run used, measured from outside.
    pub usage: Usage,
}

/// One of the two output streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Descriptor 1.
    Stdout,
    /// Descriptor 2.
    Stderr,
}

/// A part of an answer that has a limit, and went beyond it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Truncated {
    /// More was written to descriptor 1 than is shown.
    Stdout,
    /// More was written to descriptor 2 than is shown.
    Stderr,
    /// Files did not fit: their content is `null`, or they are not listed.
    Files,
}

/// A file that the run left and the client asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputFile {
    /// Relative to `/tmp`.
    pub path: String,
    /// Size in bytes.
    pub size: u64,
    /// The content; `None` where it did not fit the budget.
    pub content: Option<Vec<u8>>,
}

/// What the run used, measured from outside the cell.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Usage {
    /// From the job's start to its answer.
    pub wall: Duration,
    /// CPU time of all the cell's processes; `None` where nothing could tell.
    pub cpu: Option<Duration>,
    /// Peak of the memory that the run added, in bytes; `None` where nothing could tell.
    pub peak_memory_bytes: Option<u64>,
    /// From the request's arrival at the engine until it had a place.
    pub queue: Duration,
    /// From there until its cell had the job: making a cell, or waiting for one, and what tries were
    /// lost.
    pub start: Duration,
    /// From the answer to the outcome: last words, the end of the cell where it is waited for, and
    /// the verdict.
    pub collect: Duration,
}

/// What went wrong: the type for programs, the message for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Error)]
pub struct Failure {
    /// The type.
    #[serde(rename = "type")]
    pub kind: ErrorType,
    /// One line for a person.
    pub message: String,
    /// Line in the script as sent, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Column in that line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// As Python prints it, without the runner's own frames.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceback: Option<String>,
    /// `restricted_import`: the module.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// `result_not_json`: where in the result the value sits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What to do about it: of `result_not_json` what to call instead, and of an `exception` what to
    /// do without in a sandbox, where that is the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// `exited`: the code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i64>,
    /// `crashed`: the signal's name, such as `SIGSEGV`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
}

impl From<Stream> for Truncated {
    fn from(stream: Stream) -> Self {
        match stream {
            Stream::Stdout => Self::Stdout,
            Stream::Stderr => Self::Stderr,
        }
    }
}

impl Failure {
    /// A failure with nothing but a type and a message.
    pub fn new(kind: ErrorType, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            line: None,
            column: None,
            traceback: None,
            module: None,
            path: None,
            hint: None,
            exit_code: None,
            signal: None,
        }
    }
}

/// The closed list of `error.type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorType {
    /// The body is not a request.
    InvalidRequest,
    /// The script does not compile.
    SyntaxError,
    /// No callable `main` once the module body has run, or its arguments do not fit what was sent.
    MissingMain,
    /// An exception left the module body or `main()`.
    Exception,
    /// The script imports a restricted module.
    RestrictedImport,
    /// `main()` returned what JSON cannot hold.
    ResultNotJson,
    /// Encoded result above its limit.
    ResultTooLarge,
    /// Wall-clock limit reached.
    Timeout,
    /// CPU-time limit reached.
    CpuLimit,
    /// Killed for memory, or an uncaught `MemoryError`.
    MemoryLimit,
    /// The script ended its process before it had answered.
    Exited,
    /// The process died by a signal.
    Crashed,
    /// No key, or a wrong one.
    Unauthorized,
    /// The key may not do this.
    Forbidden,
    /// No such path.
    NotFound,
    /// No such method on this path.
    MethodNotAllowed,
    /// The body is above its limit.
    PayloadTooLarge,
    /// The body is not JSON by its `Content-Type`.
    UnsupportedMediaType,
    /// Over this key's rate.
    RateLimited,
    /// No room now.
    Overloaded,
    /// Our fault.
    Internal,
}

impl ErrorType {
    /// All of them.
    pub const ALL: [Self; 21] = [
        Self::InvalidRequest,
        Self::SyntaxError,
        Self::MissingMain,
        Self::Exception,
        Self::RestrictedImport,
        Self::ResultNotJson,
        Self::ResultTooLarge,
        Self::Timeout,
        Self::CpuLimit,
        Self::MemoryLimit,
        Self::Exited,
        Self::Crashed,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::PayloadTooLarge,
        Self::UnsupportedMediaType,
        Self::RateLimited,
        Self::Overloaded,
        Self::Internal,
    ];

    /// Its name as clients see it.
    pub fn name(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::SyntaxError => "syntax_error",
            Self::MissingMain => "missing_main",
            Self::Exception => "exception",
            Self::RestrictedImport => "restricted_import",
            Self::ResultNotJson => "result_not_json",
            Self::ResultTooLarge => "result_too_large",
            Self::Timeout => "timeout",
            Self::CpuLimit => "cpu_limit",
            Self::MemoryLimit => "memory_limit",
            Self::Exited => "exited",
            Self::Crashed => "crashed",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::PayloadTooLarge => "payload_too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::RateLimited => "rate_limited",
            Self::Overloaded => "overloaded",
            Self::Internal => "internal",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_clients_see() {
        for kind in ErrorType::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }
}
