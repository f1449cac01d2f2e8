//! The engines: what turns a request into an outcome.

use thiserror::Error;

use crate::execution::{ExecutionRequest, Outcome};

/// What runs executions: the server holds one for its whole life.
#[derive(Debug)]
pub struct Engine {}

impl Engine {
    /// Runs one execution. Dropping the returned future ends the run and frees its place.
    ///
    /// # Errors
    /// See [`EngineError`]: everything the script did is an [`Outcome`], never an error.
    #[expect(clippy::unused_async, reason = "the engines come with the next change")]
    pub async fn execute(&self, _request: ExecutionRequest) -> Result<Outcome, EngineError> {
        Err(EngineError::Internal("no engine yet".to_owned()))
    }
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
