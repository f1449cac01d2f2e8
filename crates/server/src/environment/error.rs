//! Why an environment could not be built, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why an environment could not be built or read. Every message is one sentence for the operator,
/// with the remedy where there is one.
#[derive(Debug, Error)]
pub enum BuildError {
    /// The configuration's fault: an environment's name cannot be used.
    #[error("{0:?} cannot name an environment: use 1 to 64 of the characters a-z, 0-9, _ and -")]
    InvalidName(String),

    /// The configuration's fault: there is no such interpreter.
    #[error(
        "no Python interpreter {} was found: install CPython 3.10 or newer, or give its path",
        .0.display()
    )]
    InterpreterNotFound(PathBuf),

    /// The configuration's fault, or the interpreter's: it does not run, or is no Python 3.
    #[error(
        "{} does not run as a Python 3 interpreter ({detail}): give the path of CPython 3.10 or newer",
        path.display()
    )]
    InterpreterFailed {
        /// The interpreter.
        path: PathBuf,
        /// What it said.
        detail: String,
    },

    /// The configuration's fault: another implementation of Python.
    #[error(
        "{} is {implementation}, which cannot be used: give the path of CPython 3.10 or newer",
        path.display()
    )]
    NotCPython {
        /// The interpreter.
        path: PathBuf,
        /// What it says it is.
        implementation: String,
    },

    /// The configuration's fault: the interpreter is too old.
    #[error(
        "{} is Python {version}, which is too old: give the path of CPython 3.10 or newer",
        path.display()
    )]
    TooOld {
        /// The interpreter.
        path: PathBuf,
        /// Its version.
        version: String,
    },

    /// The configuration's fault: objects lie otherwise in the memory of such an interpreter.
    #[error(
        "{} is {kind} of CPython, which cannot be used: give the path of a usual one",
        path.display()
    )]
    UnsupportedBuild {
        /// The interpreter.
        path: PathBuf,
        /// As in `a debug build`.
        kind: &'static str,
    },

    /// The configuration's fault: the interpreter does not use glibc's dynamic loader.
    #[error(
        "{} is not linked to the GNU C library dynamically, which cannot be used: install a usual build of CPython",
        .0.display()
    )]
    UnsupportedLibrary(PathBuf),

    /// The machine's fault: nothing can install packages for this interpreter.
    #[error(
        "Python {version} has neither pip nor a working venv module: install one \
         (Debian and Ubuntu: apt-get install python{version}-venv)"
    )]
    NoInstaller {
        /// The interpreter's version, as in `3.11`.
        version: String,
    },

    /// The requirements' fault, or the package index's: pip could not install them.
    #[error("pip could not install the requirements: {0}")]
    Requirements(String),

    /// The interpreter's fault: its standard library cannot be compiled.
    #[error("the environment's modules could not be compiled: {0}")]
    Bytecode(String),

    /// The configuration's fault: the state directory is not this user's to write.
    #[error(
        "cannot write to {}: {source}; choose a directory that this user can write with \
         --state-dir or CELLBLOCK_STATE_DIR",
        path.display()
    )]
    State {
        /// What was to be made there.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },

    /// The machine's fault: a file could not be read or written.
    #[error("could not {action} {}: {source}", path.display())]
    Io {
        /// What was being done, as in `read`.
        action: &'static str,
        /// To which file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

/// Says of an I/O error what was being done, and to which file.
pub(super) trait Attempt<T> {
    /// Turns an I/O error into [`BuildError::Io`].
    fn attempt(self, action: &'static str, path: &Path) -> Result<T, BuildError>;
}

impl<T, E: Into<io::Error>> Attempt<T> for Result<T, E> {
    fn attempt(self, action: &'static str, path: &Path) -> Result<T, BuildError> {
        self.map_err(|error| BuildError::Io {
            action,
            path: path.to_owned(),
            source: error.into(),
        })
    }
}
