//! Why a command did not do what it was asked to.

use std::{io, path::PathBuf, process::ExitCode};

use thiserror::Error;

use crate::{
    config::ConfigError,
    engine::{EngineError, StartError},
    execution::InvalidRequest,
};

/// Why a command did not do what it was asked to, in a sentence for a terminal.
#[derive(Debug, Error)]
pub(super) enum CliError {
    /// The user's fault: the command line.
    #[error("{0}")]
    Usage(String),
    /// The user's fault: the configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The user's fault: the script or what was given with it.
    #[error(transparent)]
    Invalid(#[from] InvalidRequest),
    /// The user's fault: a file that cannot be read.
    #[error("{}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    /// The machine's fault: it lacks what the engine needs.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The machine's fault: the address is taken or not ours.
    #[error(
        "cannot listen on {address}: {source}; choose another address with --host and --port, or \
         HOST and PORT"
    )]
    Listen { address: String, source: io::Error },
    /// The engine's answer where it did not run the script.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Nobody's fault: what reads our output has gone.
    #[error("cannot write: {0}")]
    Output(#[from] io::Error),
    /// Ours.
    #[error("{0}")]
    Fault(String),
}

impl CliError {
    /// 2 where the user can mend it, 3 where not.
    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_)
            | Self::Config(_)
            | Self::Invalid(_)
            | Self::Read { .. }
            | Self::Engine(EngineError::UnknownEnvironment(_)) => ExitCode::from(2),
            Self::Start(_)
            | Self::Listen { .. }
            | Self::Engine(_)
            | Self::Output(_)
            | Self::Fault(_) => ExitCode::from(3),
        }
    }
}
