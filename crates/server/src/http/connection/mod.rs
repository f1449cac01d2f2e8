//! One connection, HTTP/1 or HTTP/2, with every bound that it is held to.

mod activity;
mod working;

use std::{sync::Arc, time::Duration};

use axum::{Router, extract::Request};
use hyper::service::{Service, service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::Watcher},
    service::TowerToHyperService,
};
use tokio::net::TcpStream;
use tracing::debug;

use self::activity::{Activity, Watched};
pub(super) use self::working::{Busy, Working};
use crate::{config::ServerConfig, execution::Client};

/// Requests that one HTTP/2 connection may have under way.
const MAX_STREAMS: u32 = 128;

/// How connections are served.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    builder: Builder<TokioExecutor>,
    patience: Duration,
}

impl From<&ServerConfig> for Settings {
    fn from(config: &ServerConfig) -> Self {
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(config.header_timeout())
            .max_buf_size(config.header_bytes as usize);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_header_list_size(config.header_bytes)
            .max_concurrent_streams(MAX_STREAMS);
        Self {
            builder,
            patience: config.body_timeout(),
        }
    }
}

impl Settings {
    /// Serves one connection to its end. Everything that runs for it ends with this future.
    pub(super) fn serve(
        &self,
        stream: TcpStream,
        router: Router,
        watcher: Watcher,
    ) -> impl Future<Output = ()> + Send + use<> {
        // One that is gone already has no address, and asks for nothing.
        let peer = stream.peer_addr().map(|peer| Client::at(peer.ip()));
        let (builder, patience) = (self.builder.clone(), self.patience);
        // Answers are written whole; without this the last packet of one may wait for the peer.
        let _ = stream.set_nodelay(true);
        async move {
            let activity = Arc::new(Activity::default());
            let io = TokioIo::new(Watched::new(stream, Arc::clone(&activity)));
            let service = counted(router, Arc::clone(&activity), peer.unwrap_or_default());
            let connection = builder.serve_connection(io, service).into_owned();
            tokio::select! {
                ended = watcher.watch(connection) => if let Err(error) = ended {
                    debug!(error, "a connection ended badly");
                },
                () = activity.stalled(patience) => debug!("a connection stalled and was closed"),
            }
        }
    }
}

/// The router as hyper calls it, with the requests under way counted, each with who sent it.
fn counted(
    router: Router,
    activity: Arc<Activity>,
    peer: Client,
) -> impl Service<
    Request<hyper::body::Incoming>,
    Response = axum::response::Response,
    Error = std::convert::Infallible,
    Future: Send,
> + Clone
+ Send {
    let service = TowerToHyperService::new(router);
    service_fn(move |mut request: Request<_>| {
        let running = Activity::begin(&activity);
        request.extensions_mut().insert(Arc::clone(&activity));
        request.extensions_mut().insert(peer.clone());
        let answer = service.call(request);
        async move {
            let answer = answer.await;
            drop(running);
            answer
        }
    })
}
