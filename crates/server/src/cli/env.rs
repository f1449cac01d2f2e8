//! `cellblock env`.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{CliError, terminal};
use crate::{
    config::{Config, ConfigArgs, Requirements},
    engine::{self, StartError},
    environment::{self, Progress},
    runtime,
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
#[expect(clippy::unused_async, reason = "building runs other programs")]
pub(super) async fn env(args: EnvArgs) -> Result<ExitCode, CliError> {
    match args.command {
        EnvCommand::List { config } => terminal::print(&list(&config.load()?))?,
        EnvCommand::Build { name, config } => build(&name, &config.load()?)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn list(config: &Config) -> String {
    let lines = config.environments.iter().map(|(name, environment)| {
        let packages = match &environment.requirements {
            Requirements::None => "as it is".to_owned(),
            Requirements::Builtin => "builtin requirements".to_owned(),
            Requirements::File(path) => path.display().to_string(),
        };
        let interpreter = environment.interpreter.display();
        let engine = environment.engine;
        format!("{name}: {interpreter}, {packages}, {engine} engine\n")
    });
    lines.collect()
}

fn build(name: &str, config: &Config) -> Result<(), CliError> {
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
    runtime::prepare(&config.state_dir, &config.isolation.links()).map_err(StartError::from)?;
    let (python, root) = (built.python, built.root.display());
    terminal::print(&format!("{name}: Python {python}, in {root}\n"))?;
    Ok(())
}
