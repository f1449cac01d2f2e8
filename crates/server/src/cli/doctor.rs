//! `cellblock doctor`.

use std::process::ExitCode;

use clap::Args;

use super::{CliError, terminal};
use crate::{
    config::ConfigArgs,
    engine::{Engine, EngineHealth, LayerMode},
};

/// What `cellblock doctor` takes.
#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// Print the findings as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Starts the engine and shows which layers are in force. Exit code 0 where all are on, else 1.
pub(super) async fn doctor(args: DoctorArgs) -> Result<ExitCode, CliError> {
    let health = Engine::start(&args.config.load()?).await?.health();
    if args.json {
        let text = serde_json::to_string_pretty(&health);
        terminal::print(&text.map_err(|error| CliError::Fault(error.to_string()))?)?;
        terminal::print("\n")?;
    } else {
        terminal::print(&table(&health))?;
    }
    let sound = health
        .isolation
        .iter()
        .all(|layer| layer.state == LayerMode::On);
    Ok(ExitCode::from(u8::from(!sound)))
}

fn table(health: &EngineHealth) -> String {
    let lines = health.isolation.iter().map(|layer| {
        let state = match layer.state {
            LayerMode::On => "on",
            LayerMode::Degraded => "degraded",
            LayerMode::Off => "off",
        };
        let reason = layer.reason.as_deref().unwrap_or("");
        let line = format!("{:<20} {state:<9} {reason}", layer.name);
        format!("{}\n", line.trim_end())
    });
    lines.collect()
}
