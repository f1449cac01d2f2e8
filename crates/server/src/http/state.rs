//! What the handlers share.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use super::ApiError;
use crate::{
    config::Config,
    engine::Engine,
    execution::{ExecutionRequest, Live, Outcome},
};

/// What the handlers share. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Api {
    pub(super) engine: Arc<Engine>,
    pub(super) config: Arc<Config>,
    draining: Arc<AtomicBool>,
}

impl Api {
    /// An API in front of this engine.
    pub fn new(engine: Arc<Engine>, config: Arc<Config>) -> Self {
        let draining = Arc::default();
        Self {
            engine,
            config,
            draining,
        }
    }

    /// Takes no more executions; those that run or wait go on.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
        self.engine.drain();
    }

    /// Whether [`Api::drain`] was called.
    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Runs one execution. Never spawned: when the client leaves, hyper drops the handler's
    /// future, this one with it, and the engine ends the run.
    pub(super) async fn run(&self, request: ExecutionRequest) -> Result<Outcome, ApiError> {
        self.run_with(request, None).await
    }

    /// The same, with somebody who is told of it while it runs.
    pub(super) async fn run_with(
        &self,
        request: ExecutionRequest,
        live: Option<Live>,
    ) -> Result<Outcome, ApiError> {
        if self.is_draining() {
            return Err(ApiError::Unavailable);
        }
        let outcome = self.engine.execute_with(request, live).await;
        outcome.map_err(|error| ApiError::from_engine(error, &self.config.environment_names()))
    }
}
