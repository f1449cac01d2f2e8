//! The whole: the engine, started as `cellblock serve` would, and one script in every environment.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::Finding;
use crate::{
    config::{Config, DEFAULT_ENVIRONMENT},
    engine::{Engine, EnvironmentHealth, EnvironmentState, LayerState, StartError},
    execution::{Draft, InvalidRequest},
};

/// What is run, and what has to come of it.
const SCRIPT: &str = "def main():\n    return 6 * 7\n";
const RESULT: &str = "42";
/// How often to look whether an environment is there.
const LOOK: Duration = Duration::from_millis(20);

pub(super) async fn check(config: &Config) -> (Vec<Finding>, Vec<LayerState>) {
    let mut config = config.clone();
    config.pool.warm_cells = 1;
    config.pool.zygotes = 1;
    let engine = match Engine::start(&config).await {
        Ok(engine) => engine,
        Err(error) => return (vec![refused(&error)], Vec::new()),
    };
    wait_for_all(&engine, config.pool.start_timeout()).await;
    let isolation = engine.health().isolation;
    let on = format!("starts, with the floor {}", config.isolation.floor);
    let mut findings = vec![Finding::ok("engine", on)];
    for (name, environment) in &config.environments {
        let kind = environment.engine;
        let check = format!("script in {name}");
        findings.push(match run(&engine, &config, name).await {
            Ok(()) => Finding::ok(&check, format!("runs in a cell of the {kind} engine")),
            Err(error) => {
                let remedy = format!(
                    "Run `cellblock env build {name}` to see what fails, and `cellblock run --log \
                     debug` for what nsjail says."
                );
                // The server starts without it.
                let spared = name != DEFAULT_ENVIRONMENT;
                Finding::missing(&check, error, remedy).or_degraded(spared)
            }
        });
    }
    engine.drain();
    engine.settle().await;
    engine.leave().await;
    (findings, isolation)
}

/// An engine is there before the last of its environments is.
async fn wait_for_all(engine: &Engine, patience: Duration) {
    let starts = |it: &EnvironmentHealth| it.state == EnvironmentState::Starting;
    let all = async {
        while engine.health().environments.iter().any(starts) {
            sleep(LOOK).await;
        }
    };
    // What is not there by then is told as it is.
    let _ = timeout(patience, all).await;
}

fn refused(error: &StartError) -> Finding {
    let (detail, remedy) = match error {
        StartError::Source { name, source } => (
            format!("environment {name:?} cannot make sandboxes: {source}"),
            "Mend the first check above that is not ok; if all are, `cellblock serve --log debug` \
             shows what nsjail says.",
        ),
        other => (
            other.to_string(),
            "Mend the first check above that is not ok.",
        ),
    };
    Finding::missing("engine", detail, remedy)
}

async fn run(engine: &Engine, config: &Config, environment: &str) -> Result<(), String> {
    let draft = Draft {
        script: SCRIPT.to_owned(),
        environment: Some(environment.to_owned()),
        ..Draft::default()
    };
    let request = draft
        .validate(config)
        .map_err(|error: InvalidRequest| error.to_string())?;
    let outcome = engine.execute(request).await;
    let outcome = outcome.map_err(|error| error.to_string())?;
    match outcome.result {
        Ok(result) if result.get() == RESULT => Ok(()),
        Ok(result) => Err(format!("it returned {result} and not {RESULT}")),
        Err(failure) => Err(failure.message),
    }
}
