//! `cellblock run`: the same engine and the same answer, without HTTP.

mod args;
mod files;
mod show;

use std::{path::Path, process::ExitCode, time::Duration};

use tokio::time::{sleep, timeout};

pub(super) use self::args::RunArgs;
use super::{CliError, signals, signals::Signals, terminal};
use crate::{
    config::{Config, TelemetryConfig},
    engine::{Engine, EngineError},
    execution::{ExecutionRequest, Outcome, Record},
    telemetry,
};

/// How long the engine may take until it is ready.
const START_LIMIT: Duration = Duration::from_mins(2);
/// How often to look.
const LOOK: Duration = Duration::from_millis(5);

/// Runs one script. Exit code 0 where `main()` returned JSON, 1 where it did not.
pub(super) async fn run(args: RunArgs) -> Result<ExitCode, CliError> {
    let config = args.load_config()?;
    telemetry::init(&config.server, &TelemetryConfig::default())?;
    let (json, output_dir) = (args.json, args.output_dir.clone());
    let mut request = args.into_draft()?.validate(&config)?;
    // The record tells what its run used.
    request.measure = json;
    let config = config.only(&request.environment);
    let mut signals = Signals::listen()?;
    // A signal drops the other future, which ends the run.
    tokio::select! {
        done = carry_out(&config, request, json, output_dir.as_deref()) => done,
        signal = signals.next() => Ok(ExitCode::from(signals::exit_code(signal))),
    }
}

async fn carry_out(
    config: &Config,
    request: ExecutionRequest,
    json: bool,
    output_dir: Option<&Path>,
) -> Result<ExitCode, CliError> {
    let engine = Engine::start(config).await?;
    let environment = request.environment.clone();
    wait_until_ready(&engine).await?;
    let outcome = engine.execute(request).await;
    engine.leave().await;
    let outcome = outcome?;
    if let Some(directory) = output_dir {
        files::write(&outcome.files, directory)?;
    }
    if json {
        let isolation = engine.isolation(&environment);
        let record = Record::new(&outcome, &environment, &isolation);
        let text = serde_json::to_string(&record);
        let text = text.map_err(|error| CliError::Fault(error.to_string()))?;
        terminal::print(&format!("{text}\n"))?;
    } else {
        show::show(&outcome)?;
    }
    Ok(exit_code(&outcome))
}

async fn wait_until_ready(engine: &Engine) -> Result<(), CliError> {
    let ready = async {
        loop {
            let health = engine.health();
            if health.ready {
                return Ok(());
            }
            let mut reasons = health.environments.into_iter().filter_map(|e| e.reason);
            if let Some(reason) = reasons.next() {
                return Err(CliError::Fault(reason));
            }
            sleep(LOOK).await;
        }
    };
    let late = |_| CliError::from(EngineError::Unavailable);
    timeout(START_LIMIT, ready).await.map_err(late)?
}

fn exit_code(outcome: &Outcome) -> ExitCode {
    ExitCode::from(u8::from(outcome.result.is_err()))
}
