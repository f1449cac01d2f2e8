//! The accept loop: a bounded number of connections, and an orderly end.

use std::{io, sync::Arc, time::Duration};

use axum::Router;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::{sleep, timeout},
};
use tracing::{info, warn};

use super::connection::Settings;
use crate::config::ServerConfig;

/// How long to wait after the system had no descriptor or memory for a new connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `router` until `shutdown` is done; then closes the listener, lets requests that are
/// being answered finish within the drain limit, and drops those that do not.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    config: &ServerConfig,
    shutdown: impl Future<Output = ()>,
) {
    let settings = Settings::from(config);
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    tokio::select! {
        () = shutdown => {}
        () = accept_all(&listener, config, |stream, place| {
            while connections.try_join_next().is_some() {}
            let (router, watcher) = (router.clone(), graceful.watcher());
            let serving = settings.serve(stream, router, watcher);
            connections.spawn(async move {
                serving.await;
                drop(place);
            });
        }) => {}
    }
    drop(listener);
    info!(seconds = config.drain_seconds, "draining");
    if timeout(config.drain(), graceful.shutdown()).await.is_err() {
        warn!("the drain limit is over; ending what still runs");
    }
    connections.shutdown().await;
}

/// Accepts for ever. A connection has to have a place before it is accepted, so that those without
/// wait in the kernel's backlog.
async fn accept_all(
    listener: &TcpListener,
    config: &ServerConfig,
    mut serve: impl FnMut(TcpStream, OwnedSemaphorePermit),
) {
    let places = Arc::new(Semaphore::new(config.max_connections as usize));
    // The semaphore is never closed, so this ends only with its caller.
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => serve(stream, place),
            Err(error) if is_the_peers(&error) => {}
            Err(error) => {
                warn!(%error, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// The peer was gone before it was accepted.
fn is_the_peers(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    )
}
