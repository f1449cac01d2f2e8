//! The engine: admits executions, finds each a cell, runs it, and clears up behind it.

mod admission;
mod boot;
mod cold;
mod environments;
mod health;
mod host;
mod in_place;
mod isolation;
mod running;
mod settings;
mod source;
mod start_error;
mod stats;
mod try_out;
mod warm;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use cellblock_wire::job::{Job, JobLimits};
use thiserror::Error;
use tracing::Instrument;

use crate::{
    cell::{answer::Budget, run::Task},
    cgroup::Groups,
    config::Config,
    execution::{ExecutionRequest, Live, Outcome},
    scratch::Scratch,
    telemetry::phase,
};
use admission::Admission;
use environments::{Environment, Environments};
pub use health::{EngineHealth, EnvironmentHealth, EnvironmentState, LayerMode, LayerState};
pub use host::spec;
pub(crate) use host::{find_environment, find_nsjail, outer_identity};
pub use isolation::Isolation;
use running::Running;
pub use settings::{AdmissionSettings, EngineSettings, EnvironmentSettings, RunSettings};
pub use source::SourceError;
pub use start_error::StartError;
pub use stats::{EngineStats, EnvironmentStats, SECONDS};
pub use try_out::{TryOut, tried, try_out};

/// How often a run is tried before its loss is the client's. A zygote that dies as soon as it is
/// ready costs whoever waited for it a try, and a cell of a dead one may still be met before its end
/// is known; a bound there must be, for a job may be what kills them.
const TRIES: u32 = 6;
/// How often a run is run again that was under way when its cell was lost: it may be what took the
/// zygote down, and would go on to the next.
const RERUNS: u32 = 1;

/// Runs executions: the server holds one for its whole life.
#[derive(Debug)]
pub struct Engine {
    admission: Admission,
    environments: Environments,
    run: RunSettings,
    isolation: Isolation,
    scratch: Option<Arc<Scratch>>,
    groups: Option<Arc<Groups>>,
    draining: AtomicBool,
}

/// Why an execution was not run.
#[derive(Debug, Error)]
pub enum EngineError {
    /// The client's fault: no such environment.
    #[error("no environment is named {0:?}")]
    UnknownEnvironment(String),
    /// The operator's to mend: this environment has no cells, for this reason if one is known.
    #[error("environment {name:?} is {}", match reason {
        Some(reason) => format!("not ready: {reason}"),
        None => "starting; try again".to_owned(),
    })]
    NotReady {
        /// Its name.
        name: String,
        /// Why, as clients may know it; `None` while it merely starts.
        reason: Option<String>,
    },
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

impl Engine {
    /// Finds out what this machine offers, prepares what the sandboxes need, and starts every
    /// configured environment.
    pub async fn start(config: &Config) -> Result<Self, StartError> {
        boot::start(config).await
    }

    /// Starts every environment's cells, and waits until each that can has one ready.
    async fn with_settings(
        settings: EngineSettings,
        groups: Option<Arc<Groups>>,
    ) -> Result<Self, StartError> {
        let mut scratches = settings.environments.iter().filter_map(|it| it.scratch());
        let scratch = scratches.next().cloned();
        Ok(Self {
            admission: Admission::new(settings.admission),
            environments: Environments::start(settings.environments, groups.as_ref()).await?,
            run: settings.run,
            isolation: settings.isolation,
            scratch,
            groups,
            draining: AtomicBool::new(false),
        })
    }

    /// Runs one execution. Dropping the returned future ends the run and frees its place.
    ///
    /// # Errors
    /// See [`EngineError`]: everything the script did is an [`Outcome`], never an error.
    pub async fn execute(&self, request: ExecutionRequest) -> Result<Outcome, EngineError> {
        self.execute_with(request, None).await
    }

    /// The same, with somebody who is told of it while it runs.
    ///
    /// # Errors
    /// See [`Engine::execute`].
    pub async fn execute_with(
        &self,
        request: ExecutionRequest,
        live: Option<Live>,
    ) -> Result<Outcome, EngineError> {
        let arrived = Instant::now();
        let name = &request.environment;
        let environment = self.environments.get(name);
        let environment =
            environment.ok_or_else(|| EngineError::UnknownEnvironment(name.clone()))?;
        let source = environment.source();
        let source = source.ok_or_else(|| EngineError::NotReady {
            name: name.clone(),
            reason: environment.reason(),
        })?;
        let task = self.task(&request, live)?;
        let mut want = source.want();
        let entering = self.admission.enter(&request.client);
        let mut place = entering.instrument(phase("queue")).await?;
        let queue = arrived.elapsed();
        // A run has no effects outside its cell, so one that was lost with its wall, or whose
        // runner failed, can be run again without the client's knowing.
        let mut lost = None;
        let mut begun = 0;
        for _ in 0..TRIES {
            let taken = source.take().instrument(phase("start")).await;
            let cell = taken.map_err(|error| unavailable(&error, name, environment))?;
            drop(want.take());
            let mut running = Running::new(cell, place);
            let start = arrived.elapsed().saturating_sub(queue);
            if let Some(live) = &task.live {
                live.started();
            }
            let judged = running.cell().run(&task).await;
            match judged {
                Ok(mut outcome) => {
                    (outcome.usage.queue, outcome.usage.start) = (queue, start);
                    running.answered(source.is_wanted());
                    return Ok(outcome);
                }
                Err(no_verdict) => {
                    begun += u32::from(running.cell().has_begun());
                    tracing::warn!(cause = no_verdict.0, begun, "a run was lost");
                    lost = Some(no_verdict);
                }
            }
            place = running.finish().await;
            if begun > RERUNS {
                break;
            }
        }
        drop(place);
        Err(EngineError::Internal(
            lost.map(|lost| lost.0).unwrap_or_default(),
        ))
    }

    /// The state of the engine now. Cheap: called for every health probe.
    pub fn health(&self) -> EngineHealth {
        let environments = self.environments.health();
        EngineHealth {
            ready: !self.draining.load(Ordering::Relaxed),
            degraded: !environments.iter().any(|environment| environment.ready),
            environments,
            isolation: self.isolation.overall(),
        }
    }

    /// The layers that hold the cells of an environment. Cheap: called for every record.
    pub fn isolation(&self, environment: &str) -> Vec<LayerState> {
        self.isolation.within(environment)
    }

    /// The figures of the engine now.
    pub fn stats(&self) -> EngineStats {
        EngineStats {
            environments: self.environments.stats(),
            ..self.admission.stats()
        }
    }

    /// Takes no more executions; those that run or wait go on.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
        self.admission.close();
    }

    /// Waits until nothing runs, not even what is left of an answered run.
    pub async fn settle(&self) {
        self.admission.idle().await;
    }

    /// Leaves nothing of its cells, neither on the disk nor in cgroups: the program ends, which would not
    /// wait for it.
    pub async fn leave(&self) {
        self.drain();
        self.settle().await;
        if let Some(scratch) = &self.scratch {
            scratch.close();
        }
        self.environments.end().await;
        if let Some(groups) = &self.groups {
            groups.leave().await;
        }
    }

    /// An engine that runs nothing, for tests of what never reaches one.
    #[cfg(test)]
    pub(crate) fn idle() -> Self {
        let patience = std::time::Duration::ZERO;
        Self {
            admission: Admission::new(AdmissionSettings {
                running: 1,
                waiting: 0,
                patience,
            }),
            environments: Environments::default(),
            run: RunSettings {
                stdout_bytes: 0,
                stderr_bytes: 0,
                result_bytes: 0,
                output_files_bytes: 0,
                output_files_count: 0,
            },
            isolation: Isolation::default(),
            scratch: None,
            groups: None,
            draining: AtomicBool::new(true),
        }
    }

    fn task(&self, request: &ExecutionRequest, live: Option<Live>) -> Result<Task, EngineError> {
        let job = Job {
            script: &request.script,
            mode: request.mode,
            input: request.input.as_deref(),
            arguments: request.arguments.as_deref(),
            stdin: &request.stdin,
            env: &request.env,
            files: &request.files,
            output_files: &request.output_files,
            limits: JobLimits {
                result_bytes: self.run.result_bytes,
                output_files_bytes: self.run.output_files_bytes,
                output_files_count: self.run.output_files_count,
            },
        };
        let document =
            serde_json::to_vec(&job).map_err(|error| EngineError::Internal(error.to_string()))?;
        let size = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        Ok(Task {
            document,
            limits: request.limits,
            budget: Budget {
                result_bytes: size(self.run.result_bytes),
                files_bytes: size(self.run.output_files_bytes),
                files_count: size(self.run.output_files_count),
            },
            wanted: request.named_files().map(str::to_owned).collect(),
            stdout_bytes: size(self.run.stdout_bytes),
            stderr_bytes: size(self.run.stderr_bytes),
            measure: request.measure,
            live,
        })
    }
}

/// Why there is no cell: that of a source that has lost what makes its cells, and may get it back, or a
/// fault of ours.
fn unavailable(error: &SourceError, name: &str, environment: &Environment) -> EngineError {
    match error {
        SourceError::Timeout(_) => EngineError::NotReady {
            name: name.to_owned(),
            reason: Some(environment.reason().unwrap_or_else(|| error.to_string())),
        },
        error => EngineError::Internal(error.to_string()),
    }
}
