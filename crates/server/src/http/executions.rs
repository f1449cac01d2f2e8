//! `POST /v1/executions`: the full record.

use axum::{extract::State, http::StatusCode, response::Response};

use super::{Api, ApiError, body::ScriptRequest, error::json};
use crate::execution::Record;

/// Runs a script and answers with the full record, 200 for every run that was started.
//
// The event stream for `Accept: text/event-stream` has its place here: the same request, the same
// record, another way to show them.
pub(super) async fn create(
    State(api): State<Api>,
    ScriptRequest(mut request): ScriptRequest,
) -> Result<Response, ApiError> {
    let environment = request.environment.clone();
    request.measure = true;
    let outcome = api.run(request).await?;
    let isolation = api.engine.health().isolation;
    let record = Record::new(&outcome, &environment, &isolation);
    Ok(json(StatusCode::OK, &record))
}
