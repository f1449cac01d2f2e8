//! `POST /v1/executions`: the full record.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};

use super::{
    Api, ApiError, accept,
    access::Caller,
    body::ScriptRequest,
    connection::Working,
    error::json_text,
    stream::{self, EVENT_STREAM},
};
use crate::execution::{Outcome, Record};

/// Runs a script and answers with the full record, 200 for every run that was started; with
/// `Accept: text/event-stream` as a stream of events, of which the record is the last.
pub(super) async fn create(
    State(api): State<Api>,
    caller: Caller,
    working: Working,
    headers: HeaderMap,
    ScriptRequest(mut request): ScriptRequest,
) -> Result<Response, ApiError> {
    request.measure = true;
    let place = caller.enter()?;
    if accept::prefers(&headers, EVENT_STREAM) {
        return stream::run(&api, request, (place, working.begin())).await;
    }
    let environment = request.environment.clone();
    let outcome = api.run(request).await?;
    Ok(json_text(
        StatusCode::OK,
        show(&api, &outcome, &environment)?,
    ))
}

/// The record's text.
pub(super) fn show(api: &Api, outcome: &Outcome, environment: &str) -> Result<String, ApiError> {
    let isolation = api.engine.health().isolation;
    let record = Record::new(outcome, environment, &isolation);
    serde_json::to_string(&record).map_err(|error| ApiError::Internal(error.to_string()))
}
