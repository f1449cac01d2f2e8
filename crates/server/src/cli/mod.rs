//! The command line: one file per command.

mod doctor;
mod env;
mod error;
mod first;
mod health;
mod key;
#[cfg(test)]
mod reference;
mod run;
mod serve;
mod signals;
mod terminal;

use std::process::ExitCode;

use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use self::error::CliError;
#[cfg(test)]
pub(crate) use self::key::key_digest;
use crate::config::ConfigArgs;

/// Runs Python that nobody trusts, each script in a sealed cell of its own.
#[derive(Debug, Parser)]
#[command(name = "cellblock", version, after_help = PRECEDENCE, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const PRECEDENCE: &str = "Every option can be given as a flag, as an environment variable, or in \
    the configuration file; a flag wins over a variable, a variable over the file.";

const SECCOMP_PROFILE: &str = include_str!("../../../../deploy/docker/seccomp.json");

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves the HTTP API until SIGTERM or SIGINT; a second signal ends it at once.
    Serve(ConfigArgs),
    /// Runs one script, without HTTP, and prints what it printed and what its main returned.
    Run(Box<run::RunArgs>),
    /// Prints the effective configuration as TOML, to be used as a configuration file.
    Config(ConfigArgs),
    /// Tells what of this machine's isolation works, and what to do where it does not.
    Doctor(doctor::DoctorArgs),
    /// Asks the server of the same configuration whether it is ready: exit code 0 if it is.
    Health(ConfigArgs),
    /// Lists and builds environments.
    Env(env::EnvArgs),
    /// Prints the seccomp profile that a container of the server is to be started with, in the form
    /// of Docker, Podman and Kubernetes.
    SeccompProfile,
    /// Makes API keys.
    Key(key::KeyArgs),
}

/// Does what the command line says. Exit codes: 0 fine, 1 the script failed, 2 wrong usage,
/// configuration or request, 3 no room or our fault, 128 + n ended by signal n.
pub fn main() -> ExitCode {
    let done = parse(command().get_matches()).and_then(|cli| cli.command.carry_out());
    done.unwrap_or_else(|error| {
        terminal::complain(&error);
        error.exit_code()
    })
}

fn parse(mut matches: ArgMatches) -> Result<Cli, CliError> {
    Cli::from_arg_matches_mut(&mut matches).map_err(|error| CliError::Usage(error.to_string()))
}

/// The command line, with the configuration's many flags out of the short help of commands that
/// are about something else.
fn command() -> clap::Command {
    ["run", "doctor", "env", "health"]
        .into_iter()
        .fold(Cli::command(), |cli, name| {
            cli.mut_subcommand(name, hide_config_flags)
        })
}

fn hide_config_flags(command: clap::Command) -> clap::Command {
    let flags = ConfigArgs::augment_args(clap::Command::new("flags"));
    let ids: Vec<_> = flags
        .get_arguments()
        .map(|arg| arg.get_id().clone())
        .collect();
    command.mut_args(|arg| {
        let hide = arg.get_id() != "config" && ids.contains(arg.get_id());
        arg.hide_short_help(hide)
    })
}

impl Command {
    fn carry_out(self) -> Result<ExitCode, CliError> {
        match self {
            Self::Serve(config) => {
                let config = config.load()?;
                if first::is_first() {
                    return block_on(first::stand_in());
                }
                block_on(serve::serve(config))
            }
            Self::Run(args) => block_on(run::run(*args)),
            Self::Config(config) => print_config(&config),
            Self::Health(config) => block_on(health::health(config)),
            Self::Doctor(args) => block_on(doctor::doctor(args)),
            Self::Env(args) => block_on(env::env(args)),
            Self::SeccompProfile => {
                terminal::print(SECCOMP_PROFILE)?;
                Ok(ExitCode::SUCCESS)
            }
            Self::Key(args) => key::key(&args),
        }
    }
}

fn print_config(args: &ConfigArgs) -> Result<ExitCode, CliError> {
    let text = args.load()?.to_toml();
    terminal::print(&text.map_err(|error| CliError::Fault(error.to_string()))?)?;
    Ok(ExitCode::SUCCESS)
}

fn block_on(
    command: impl Future<Output = Result<ExitCode, CliError>>,
) -> Result<ExitCode, CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::Fault(format!("cannot start threads: {error}")))?;
    let done = runtime.block_on(command);
    // Nothing worth waiting for is left, and a blocked read of standard input must not keep us.
    runtime.shutdown_background();
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn short_help_of_run_is_about_running() {
        let mut command = command();
        let run = command.find_subcommand_mut("run").unwrap();
        let short = run.render_help().to_string();
        assert!(short.contains("--timeout") && !short.contains("--max-connections"));
        assert!(
            run.render_long_help()
                .to_string()
                .contains("--max-connections")
        );
    }
}
