//! Trying an environment out: it is started once, as the server would, so that a build says what a
//! start would stumble over.

use super::{Engine, StartError};
use crate::{
    config::{Config, EnvironmentConfig},
    environment::{Environment, Trial},
    runtime::Runtime,
};

/// What came of it.
#[derive(Debug)]
pub enum TryOut {
    /// It can be warmed up. What is not as in a fresh interpreter, in a sentence each.
    Works(Vec<String>),
    /// It cannot, and it is the environment's own fault.
    Fails(StartError),
    /// No sandbox can be made here to try it in.
    Untried(StartError),
}

/// Starts one environment, and ends it again. One that was tried and worked is not tried again.
///
/// `runtime`: what cells see above the environment's image.
pub async fn try_out(config: &Config, built: &Environment, runtime: &Runtime) -> TryOut {
    let name = &built.name;
    let Some(environment) = config.environments.get(name) else {
        return TryOut::Works(Vec::new());
    };
    let parts = parts(environment, runtime);
    let parts: Vec<_> = parts.iter().map(String::as_str).collect();
    if let Some(trial) = built.trial(&parts)
        && trial.problem.is_none()
    {
        return TryOut::Works(trial.warnings);
    }
    let (trial, outcome) = match Engine::start(&config.clone().only(name)).await {
        Ok(engine) => {
            let health = engine.health().environments;
            engine.drain();
            engine.settle().await;
            engine.leave().await;
            let warnings = health
                .into_iter()
                .flat_map(|environment| environment.warnings);
            let warnings: Vec<_> = warnings.collect();
            let trial = Trial::new(&parts, None, warnings.clone());
            (trial, TryOut::Works(warnings))
        }
        Err(StartError::Preload { name, problem }) => {
            let trial = Trial::new(&parts, Some(problem.clone()), Vec::new());
            (trial, TryOut::Fails(StartError::Preload { name, problem }))
        }
        Err(error) => return TryOut::Untried(error),
    };
    // Kept for `cellblock env list`, and to spare the next build the time; nothing depends on it.
    if let Err(error) = built.keep_trial(&trial) {
        tracing::warn!(%error, "a trial was not kept");
    }
    outcome
}

/// What was found the last time that it was tried as it is configured now.
pub fn tried(
    environment: &EnvironmentConfig,
    built: &Environment,
    runtime: &Runtime,
) -> Option<Trial> {
    let parts = parts(environment, runtime);
    built.trial(&parts.iter().map(String::as_str).collect::<Vec<_>>())
}

fn parts(environment: &EnvironmentConfig, runtime: &Runtime) -> Vec<String> {
    let mut parts = vec![
        runtime.layer.to_string_lossy().into_owned(),
        environment.engine.to_string(),
        environment.exercise.clone(),
    ];
    parts.extend(environment.preload.iter().cloned());
    parts
}
