//! `cellblock doctor`.

use std::process::ExitCode;

use clap::Args;

use super::{CliError, terminal};
use crate::{config::ConfigArgs, doctor::examine};

const ABOUT: &str = "Every check tries what it is about. What it makes for that is removed again, \
    but for the state directory and, with cgroups of version 2, the group that a server moves \
    itself into.\n\n\
    Exit codes: 0 `cellblock serve` would start with the isolation that --floor asks for; 1 it \
    would not.";

/// What `cellblock doctor` takes.
#[derive(Debug, Args)]
#[command(after_help = ABOUT)]
pub(super) struct DoctorArgs {
    /// Print the findings as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Examines the machine and prints what was found. Exit code 0 where the engine starts, else 1.
pub(super) async fn doctor(args: DoctorArgs) -> Result<ExitCode, CliError> {
    let diagnosis = examine(&args.config.load()?).await;
    let text = if args.json {
        let text = serde_json::to_string_pretty(&diagnosis);
        text.map_err(|error| CliError::Fault(error.to_string()))? + "\n"
    } else {
        diagnosis.to_text()
    };
    terminal::print(&text)?;
    Ok(ExitCode::from(u8::from(!diagnosis.ready)))
}
