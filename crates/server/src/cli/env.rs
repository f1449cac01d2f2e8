//! `cellblock env`.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{CliError, terminal};
use crate::{
    config::{Config, ConfigArgs, EnvironmentConfig, Requirements},
    engine::{self, StartError, TryOut},
    environment::{self, Progress},
    runtime::{self, Runtime},
};

/// What `cellblock env` takes.
#[derive(Debug, Args)]
pub(super) struct EnvArgs {
    #[command(subcommand)]
    command: EnvCommand,
}

#[derive(Debug, Subcommand)]
enum EnvCommand {
    /// Lists the configured environments.
    List {
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Builds an environment in the state directory, unless it is there as it is configured now.
    Build {
        /// Its configured name.
        name: String,
        #[command(flatten)]
        config: ConfigArgs,
    },
}

/// Carries out `cellblock env`.
pub(super) async fn env(args: EnvArgs) -> Result<ExitCode, CliError> {
    match args.command {
        EnvCommand::List { config } => terminal::print(&list(&config.load()?))?,
        EnvCommand::Build { name, config } => build(&name, &config.load()?).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn list(config: &Config) -> String {
    let runtime = runtime::prepare(&config.state_dir, &config.isolation.links()).ok();
    let lines = config.environments.iter().map(|(name, environment)| {
        let packages = match &environment.requirements {
            Requirements::None => "as it is".to_owned(),
            Requirements::Builtin => "builtin requirements".to_owned(),
            Requirements::File(path) => path.display().to_string(),
        };
        let interpreter = environment.interpreter.display();
        let engine = environment.engine;
        let state = state(config, name, environment, runtime.as_ref());
        format!("{name}: {interpreter}, {packages}, {engine} engine; {state}\n")
    });
    lines.collect()
}

/// Whether an environment is built, and what came of warming it up.
fn state(
    config: &Config,
    name: &str,
    environment: &EnvironmentConfig,
    runtime: Option<&Runtime>,
) -> String {
    let built = match engine::find_environment(name, environment, &config.state_dir) {
        Ok(Some(built)) => built,
        Ok(None) => return "not built".to_owned(),
        Err(error) => return error.to_string(),
    };
    let trial = runtime.and_then(|runtime| engine::tried(environment, &built, runtime));
    match trial.map(|trial| trial.problem) {
        Some(None) => "built, can be warmed up".to_owned(),
        Some(Some(problem)) => format!("built, but cannot be warmed up: {problem}"),
        None => "built, not tried".to_owned(),
    }
}

async fn build(name: &str, config: &Config) -> Result<(), CliError> {
    let Some(environment) = config.environments.get(name) else {
        let known = config.environment_names();
        return Err(CliError::Usage(format!(
            "no environment is named {name:?}; there are: {known}"
        )));
    };
    let spec = engine::spec(name, environment)?;
    let mut tell = |step: Progress| terminal::print_error(&format!("{step}\n")).unwrap_or(());
    let built = environment::build(&spec, &config.state_dir, &mut tell);
    let built = built.map_err(|source| StartError::Environment {
        name: name.to_owned(),
        source: Box::new(source),
    })?;
    // So that a server can start from here where it cannot write.
    let runtime = runtime::prepare(&config.state_dir, &config.isolation.links());
    let runtime = runtime.map_err(StartError::from)?;
    let (python, root) = (&built.python, built.root.display());
    terminal::print(&format!("{name}: Python {python}, in {root}\n"))?;
    match engine::try_out(config, &built, &runtime).await {
        TryOut::Works(warnings) => {
            for warning in warnings {
                terminal::print_error(&format!("warning: {warning}\n"))?;
            }
            Ok(())
        }
        TryOut::Fails(error) => Err(error.into()),
        TryOut::Untried(error) => Ok(terminal::print_error(&format!(
            "WARNING: {name} is built, but was NOT warmed up to see whether its modules can be \
             imported, since no sandbox can be made here: {error}\n"
        ))?),
    }
}
