//! The engines: what turns a request into an outcome.

mod health;

use thiserror::Error;

use crate::{
    config::Config,
    execution::{ExecutionRequest, Outcome},
};

pub use health::{EngineHealth, EnvironmentHealth, LayerMode, LayerState};

/// What runs executions: the server holds one for its whole life.
#[derive(Debug)]
pub struct Engine {}

impl Engine {
    /// Checks what the host offers and starts the environments. It may return before they are
    /// warm: until then [`Engine::health`] says so, and executions are [`EngineError::Unavailable`].
    #[expect(clippy::unused_async, reason = "the engines come with the next change")]
    pub async fn start(_config: &Config) -> Result<Self, StartError> {
        Ok(Self {})
    }

    /// An engine that runs nothing, for tests of what never reaches one.
    #[cfg(test)]
    pub(crate) fn idle() -> Self {
        Self {}
    }

    /// Runs one execution. Dropping the returned future ends the run and frees its place.
    ///
    /// # Errors
    /// See [`EngineError`]: everything the script did is an [`Outcome`], never an error.
    #[expect(clippy::unused_async, reason = "the engines come with the next change")]
    pub async fn execute(&self, _request: ExecutionRequest) -> Result<Outcome, EngineError> {
        Err(EngineError::Internal("no engine yet".to_owned()))
    }

    /// The state of the engine now. Cheap: called for every record and every health probe.
    pub fn health(&self) -> EngineHealth {
        EngineHealth::default()
    }

    /// Takes no more executions; those that run or wait go on.
    pub fn drain(&self) {}
}

/// Why an execution was not run.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The client's fault: no such environment.
    #[error("no environment is named {0:?}")]
    UnknownEnvironment(String),
    /// Nobody's fault: every place is taken and the queue is full, or waiting took too long.
    #[error("no room now")]
    Overloaded,
    /// Nobody's fault: the server is shutting down or not ready yet.
    #[error("not accepting executions")]
    Unavailable,
    /// Ours. The text is for the log, never for a client.
    #[error("{0}")]
    Internal(String),
}

/// Why no engine could be started: one sentence with its remedy, for whoever starts the program.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct StartError(pub String);
