//! What the handlers share.

use std::{
    net::SocketAddr,
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use tracing::Instrument;

use super::{ApiError, access::Access, metrics::Metrics, once::Once};
use crate::{
    config::Config,
    engine::Engine,
    execution::{ExecutionRequest, Live, Outcome},
};

/// A server that strangers may reach and use.
const OPEN: &str = "this server listens on an address that is not loopback, and needs no key: \
    whoever reaches it may run scripts; make keys with `cellblock key new`";

/// What the handlers share. Clones are the same one: each request makes several.
#[derive(Debug, Clone)]
pub struct Api(Arc<Shared>);

/// All of it, once.
#[derive(Debug)]
pub struct Shared {
    pub(super) engine: Arc<Engine>,
    pub(super) config: Config,
    pub(super) access: Access,
    pub(super) metrics: Metrics,
    pub(super) once: Once,
    public: bool,
    draining: AtomicBool,
}

impl Deref for Api {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Api {
    /// An API in front of this engine, to be reached at this address.
    pub fn new(engine: Arc<Engine>, config: Config, address: SocketAddr) -> Self {
        Self(Arc::new(Shared {
            access: Access::new(&config.keys),
            metrics: Metrics::new(Arc::clone(&engine)),
            once: Once::new(&config.server),
            engine,
            config,
            public: !address.ip().is_loopback(),
            draining: AtomicBool::new(false),
        }))
    }

    /// What the operator should know, for the log and `/health`.
    pub fn warnings(&self) -> &'static [&'static str] {
        if self.public && self.access.is_open() {
            return &[OPEN];
        }
        &[]
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

    /// Refuses while executions are not taken any more.
    pub(super) fn check_open(&self) -> Result<(), ApiError> {
        if self.is_draining() {
            return Err(ApiError::Unavailable);
        }
        Ok(())
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
        self.check_open()?;
        let (started, run) = (Instant::now(), self.metrics.run(&request.environment));
        // In a box, for what is awaited is moved at each level up to here: the handlers' futures came
        // to tens of kilobytes otherwise, copied more than once for each request.
        let executing = Box::pin(self.engine.execute_with(request, live));
        let outcome = executing.instrument(run.span()).await;
        let outcome =
            outcome.map_err(|error| ApiError::from_engine(error, &self.config.environment_names()));
        run.ended(&outcome, started.elapsed());
        outcome
    }
}
