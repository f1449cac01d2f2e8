//! `POST /v1/executions` as a stream of server-sent events: what is printed, while it is printed,
//! and then the record.

mod event;

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use self::event::{closing, heartbeat, live_event};
use super::{Api, ApiError, access::Place, connection::Busy, executions::show, task::Task};
use crate::execution::{ExecutionRequest, LiveEvent, live};

/// Media type of the stream.
pub(super) const EVENT_STREAM: &str = "text/event-stream";
/// Asks nginx, and what follows its lead, to pass events on as they come.
const NO_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The last event's data: a record in JSON, or why there is none.
type Last = Result<String, ApiError>;

/// A run as its listener sees it.
struct Listening {
    events: mpsc::Receiver<LiveEvent>,
    last: Option<oneshot::Receiver<Last>>,
    heartbeat: Duration,
    // Ends the run when the client leaves.
    _run: Task,
}

/// Runs an execution and streams it. What is refused before it has a cell is answered as without
/// streaming.
pub(super) async fn run(
    api: &Api,
    request: ExecutionRequest,
    held: (Place, Busy),
) -> Result<Response, ApiError> {
    let (live, events) = live();
    let (end, last) = oneshot::channel();
    let for_run = api.clone();
    let run = Task::spawn(async move {
        let environment = request.environment.clone();
        let outcome = for_run.run_with(request, Some(live.clone())).await;
        // From here on the client's reading is all there is to wait for.
        drop(held);
        let shown = outcome.and_then(|outcome| show(&for_run, &outcome, &environment));
        // Nobody listens any more: nothing to tell.
        let _ = end.send(shown);
        live.settle().await;
    });
    let mut listening = Listening {
        events,
        last: Some(last),
        heartbeat: api.config.server.heartbeat(),
        _run: run,
    };
    // The first event says that there is a cell: only now is it certain that this is a 200.
    if listening.events.recv().await.is_none() {
        listening.last().await?;
    }
    Ok(answer(listening))
}

fn answer(listening: Listening) -> Response {
    let events = stream::unfold(listening, async |mut listening| {
        let text = listening.next().await?;
        Some((Ok::<_, std::convert::Infallible>(text), listening))
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(EVENT_STREAM)),
        (NO_BUFFERING, HeaderValue::from_static("no")),
    ];
    (headers, Body::from_stream(events.fuse())).into_response()
}

impl Listening {
    /// The next event as text; `None` after the last.
    async fn next(&mut self) -> Option<String> {
        self.last.as_ref()?;
        match timeout(self.heartbeat, self.events.recv()).await {
            Err(_) => Some(heartbeat()),
            Ok(Some(event)) => Some(live_event(&event)),
            Ok(None) => Some(closing(self.last().await)),
        }
    }

    async fn last(&mut self) -> Last {
        let vanished = || ApiError::Internal("a run ended without a word".to_owned());
        match self.last.take() {
            Some(last) => last.await.unwrap_or_else(|_| Err(vanished())),
            None => Err(vanished()),
        }
    }
}
