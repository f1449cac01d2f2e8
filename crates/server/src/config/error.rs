//! What can be wrong with the configuration.

use std::path::PathBuf;

use thiserror::Error;

/// Why there is no configuration: whoever started the program can mend each of these, and each
/// is one line that says where and how.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file named by `--config` or `CELLBLOCK_CONFIG` cannot be read.
    #[error("{}: cannot read the configuration: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system answered.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{}:{line}: not TOML: {problem}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What the parser says.
        problem: String,
    },
    /// A key of the file is unknown, or its value has the wrong type or is out of bounds.
    #[error("{}: {key}: {problem}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// The key with its section, such as `server.port`.
        key: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// An environment variable does not parse or is out of bounds.
    #[error("{name}: {problem}")]
    Variable {
        /// The variable.
        name: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// A flag's value is out of bounds.
    #[error("{flag}: {problem}")]
    Flag {
        /// The flag.
        flag: &'static str,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// Values that are each fine do not go together.
    #[error("{key}: {problem}")]
    Conflict {
        /// The key that most likely has to change.
        key: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
}
