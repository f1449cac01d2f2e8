//! `cellblock serve`.

use std::{process::ExitCode, sync::Arc};

use tokio::net::TcpListener;
use tracing::{info, warn};

use super::{
    CliError,
    signals::{Signals, exit_code},
};
use crate::{
    config::{Config, ServerConfig},
    descriptors,
    engine::Engine,
    http::{self, Api},
    telemetry,
};

/// Serves until the first signal, drains, and ends. The second signal ends everything at once.
pub(super) async fn serve(mut config: Config) -> Result<ExitCode, CliError> {
    let traces = telemetry::init(&config.server, &config.telemetry)?;
    // Before the engine, so that a taken port is told at once and nothing was started for nothing.
    let listener = listen(&config.server).await?;
    // If there are too few for cells, the engine says so.
    if descriptors::check(&config).is_ok() {
        keep_descriptors_for_cells(&mut config);
    }
    let engine = Arc::new(Engine::start(&config).await?);
    let signals = Signals::listen()?;
    let address = listener.local_addr()?;
    info!(
        version = env!("CARGO_PKG_VERSION"),
        "listening on http://{address}"
    );

    let server = config.server.clone();
    let api = Api::new(Arc::clone(&engine), config, address);
    for warning in api.warnings() {
        warn!("{warning}");
    }
    let shutdown = shutdown(signals, api.clone());
    http::serve(listener, http::router(api), &server, shutdown).await;
    engine.leave().await;
    traces.finish().await;
    info!("ended");
    Ok(ExitCode::SUCCESS)
}

/// Cells come before connections: those that there are no descriptors for wait in the kernel's backlog.
fn keep_descriptors_for_cells(config: &mut Config) {
    let (wanted, room) = (config.server.max_connections, descriptors::raise(config));
    if room < wanted {
        warn!(
            "at most {room} connections are served at a time, not server.max_connections = {wanted}: the hard \
             limit of open descriptors (ulimit -Hn) is too low for more"
        );
        config.server.max_connections = room;
    }
}

async fn listen(config: &ServerConfig) -> Result<TcpListener, CliError> {
    let (host, port) = (config.host.as_str(), config.port);
    TcpListener::bind((host, port))
        .await
        .map_err(|source| CliError::Listen {
            address: format!("{host}:{port}"),
            source,
        })
}

async fn shutdown(mut signals: Signals, api: Api) {
    signals.next().await;
    api.drain();
    tokio::spawn(async move {
        let signal = signals.next().await;
        std::process::exit(exit_code(signal).into());
    });
}
