//! Why a request is not taken.

use thiserror::Error;

/// Longest part of a client's own text that a message repeats, in bytes.
const MAX_QUOTED: usize = 120;

/// Why a request is not taken. Always the client's fault; the text is written for the client.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidRequest {
    /// Nothing was sent.
    #[error(
        "the body is empty; send a JSON object with a script, such as {{\"script\": \"def main(): return 1\"}}"
    )]
    Empty,
    /// Not UTF-8, as JSON has to be.
    #[error("the body is not UTF-8: bad byte at offset {0}")]
    NotUtf8(usize),
    /// Not JSON by its grammar.
    #[error("the body is not JSON: {problem} at line {line} column {column}")]
    NotJson {
        /// What the parser stumbled over.
        problem: String,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// JSON, but not an object.
    #[error("{0}")]
    Shape(String),
    /// A field is unknown, has the wrong type or holds what it may not.
    #[error("{field}: {problem}")]
    Field {
        /// Its path in the body, such as `files[0].path`.
        field: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
}

impl InvalidRequest {
    /// An error about the field at this path.
    pub fn field(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Field {
            field: field.into(),
            problem: problem.into(),
        }
    }
}

/// The client's own text for a message: quoted, control characters escaped, cut where it is long.
pub(super) fn quoted(text: &str) -> String {
    let cut = &text[..text.floor_char_boundary(MAX_QUOTED)];
    let dots = if cut.len() < text.len() { "…" } else { "" };
    format!("{cut:?}{dots}")
}
