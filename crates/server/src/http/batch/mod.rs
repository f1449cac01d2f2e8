//! `POST /v1/executions:batch`: many executions in one request.

mod item;
mod lines;

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::{
    sync::{Semaphore, mpsc, oneshot},
    task::JoinSet,
};
use utoipa::ToSchema;

use self::{
    item::{Context, Item},
    lines::Form,
};
use super::{Api, ApiError, accept, access::Caller, body::Posted, connection::Working, task::Task};
use crate::{
    execution::{Draft, InvalidRequest, parse_as},
    telemetry::inherit,
};

/// Media type of results that are streamed as they come.
pub(super) const NDJSON: &str = "application/x-ndjson";

/// What to run.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Batch {
    /// Each as in `POST /v1/executions`; at most 100 unless configured otherwise.
    #[schema(value_type = Vec<Draft>, min_items = 1)]
    executions: Vec<Box<RawValue>>,
}

/// Run many scripts
///
/// Each execution is as in `POST /v1/executions`, and counts as one against the key's rate; they
/// run side by side, as many at a time as the server and the key allow. By default the answer is an
/// array of records in the order of the request. With `Accept: application/x-ndjson` it has one
/// record per line in the order in which they finish. Each record also has `index`, its place in the
/// request. An execution that could not be run has only `index`, `status: "failed"` and `error`;
/// the others are not concerned. A client that disconnects ends what still runs.
#[utoipa::path(
    post,
    path = "/v1/executions:batch",
    tag = "Executions",
    operation_id = "create_executions",
    request_body = Batch,
    responses((
        status = 200,
        description = "The batch was started.",
        content(
            (Vec<Item<'static>> = "application/json"),
            (String = "application/x-ndjson"),
        )
    ))
)]
pub(super) async fn create(
    State(api): State<Api>,
    caller: Caller,
    working: Working,
    headers: HeaderMap,
    posted: Posted,
) -> Result<Response, ApiError> {
    let form = if accept::prefers(&headers, NDJSON) {
        posted.must_be_repeatable(NDJSON)?;
        Form::Lines
    } else {
        Form::Array
    };
    let items = items(&posted, &api)?;
    api.check_open()?;
    let context = Context {
        api: api.clone(),
        caller: caller.clone(),
        working,
    };
    let work = async { Ok(answer(context, items, form)) };
    api.once.answer(&caller, &posted, work).await
}

fn items(posted: &Posted, api: &Api) -> Result<Vec<Box<RawValue>>, ApiError> {
    let items = parse_as::<Batch>(&posted.bytes)?.executions;
    let (count, most) = (items.len(), api.config.server.batch_items);
    if items.is_empty() || count > most as usize {
        let problem = format!("{count} items; there have to be 1 to {most}");
        return Err(InvalidRequest::field("executions", problem).into());
    }
    Ok(items)
}

fn answer(context: Context, items: Vec<Box<RawValue>>, form: Form) -> Response {
    // One, so that a client that reads slowly holds the batch up and not memory.
    let (results, received) = mpsc::channel(1);
    let task = Task::spawn(run_all(Arc::new(context), items, form, results));
    // Fused, because compression asks once more after the end.
    let texts = stream::unfold((form.start(received), task), async |(mut texts, task)| {
        let text = texts.next().await?;
        Some((Ok::<_, std::convert::Infallible>(text), (texts, task)))
    });
    let content_type = match form {
        Form::Array => "application/json",
        Form::Lines => NDJSON,
    };
    (
        [(header::CONTENT_TYPE, content_type)],
        Body::from_stream(texts.fuse()),
    )
        .into_response()
}

/// Runs the items, as many at a time as there are places. An item keeps its turn until its result
/// was taken, so that there are never more results than places.
async fn run_all(
    context: Arc<Context>,
    items: Vec<Box<RawValue>>,
    form: Form,
    results: mpsc::Sender<String>,
) {
    let turns = context.api.config.pool.running_places() as usize;
    let turns = Arc::new(Semaphore::new(turns));
    let mut running = JoinSet::new();
    let mut before = None;
    for (index, item) in items.into_iter().enumerate() {
        // The semaphore is never closed.
        let turn = Arc::clone(&turns).acquire_owned().await;
        let (delivered, previous) = oneshot::channel::<()>();
        let before = before.replace(previous);
        let (context, results) = (Arc::clone(&context), results.clone());
        let run = async move {
            let text = context.run(index, &item).await;
            if let (Form::Array, Some(before)) = (form, before) {
                // An error says as well that it is done with.
                let _ = before.await;
            }
            // Without a client there is nothing to deliver.
            let _ = results.send(text).await;
            drop((delivered, turn));
        };
        running.spawn(inherit(run));
    }
    while running.join_next().await.is_some() {}
}
