//! `POST /v1/executions`: the full record.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};

use super::{
    Api, ApiError, accept,
    access::Caller,
    body::Posted,
    connection::Working,
    error::json_text,
    stream::{self, EVENT_STREAM},
};
use crate::execution::{Draft, ExecutionRequest, Outcome, Record};

/// A short stream.
const EXAMPLE: &str = "event: stdout\ndata: {\"text\":\"hello\\n\"}\n\nevent: result\ndata: \
    {\"id\":\"0198c1f2-7d3b-7a51-9c1e-2b7f0c4e6a11\",\"status\":\"succeeded\",\"result\":6}\n\n";

/// Run a script, for the full record
///
/// 200 for every run that was started; `status` and `error` say how it ended.
///
/// With `Accept: text/event-stream` the answer is a stream of server-sent events: `stdout` and
/// `stderr` with `{"text": ...}` as the script prints, and at the end `result` with the record. A
/// comment comes where nothing else did for ten seconds. A client that reads slowly never slows the
/// run: what it had no room for is left out of the events, which `lagged` says with
/// `{"stream": ..., "skipped_bytes": ...}`, and is in the record all the same. `restarted` says that
/// the run was lost with its cell and began again: what was printed is void. `error` instead of
/// `result` has the body of a 500. A client that disconnects ends its run.
#[utoipa::path(
    post,
    path = "/v1/executions",
    tag = "Executions",
    operation_id = "create_execution",
    request_body = Draft,
    responses((
        status = 200,
        description = "The run was started.",
        content(
            (Record = "application/json"),
            (String = "text/event-stream", example = json!(EXAMPLE)),
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
    if accept::prefers(&headers, EVENT_STREAM) {
        posted.must_be_repeatable(EVENT_STREAM)?;
        let request = measured(&posted, &caller, &api)?;
        let place = caller.enter()?;
        return stream::run(&api, request, (place, working.begin())).await;
    }
    let work = async {
        let request = measured(&posted, &caller, &api)?;
        let _place = caller.enter()?;
        let environment = request.environment.clone();
        let outcome = api.run(request).await?;
        let record = show(&api, &outcome, &environment)?;
        Ok(json_text(StatusCode::OK, record))
    };
    api.once.answer(&caller, &posted, work).await
}

/// A record tells exactly what its run used.
fn measured(posted: &Posted, caller: &Caller, api: &Api) -> Result<ExecutionRequest, ApiError> {
    let mut request = posted.request(caller, api)?;
    request.measure = true;
    Ok(request)
}

/// The record's text.
pub(super) fn show(api: &Api, outcome: &Outcome, environment: &str) -> Result<String, ApiError> {
    let isolation = api.engine.isolation(environment);
    let record = Record::new(outcome, environment, &isolation);
    serde_json::to_string(&record).map_err(|error| ApiError::Internal(error.to_string()))
}
