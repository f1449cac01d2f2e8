//! What stands before the paths that need a key.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tracing::Span;

use super::{Caller, Standing};
use crate::{
    execution::Client,
    http::{Api, ApiError, body::discard},
};

/// Middleware that finds out whose key a request has, and says in the answer how that key stands.
pub(in crate::http) async fn authenticate(
    State(api): State<Api>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = request.extensions().get::<Client>().cloned();
    let caller = match api.access.caller(request.headers()) {
        Ok(caller) => caller.from(peer.unwrap_or_default()),
        Err(error) => return refuse(&api, request, error).await,
    };
    if !caller.name().is_empty() {
        Span::current().record("key", caller.name());
    }
    request.extensions_mut().insert(caller.clone());
    let mut response = next.run(request).await;
    if let Some(standing) = caller.standing() {
        show(standing, response.headers_mut());
    }
    response
}

/// Middleware that counts a request against its key's rate, before its body is read.
pub(in crate::http) async fn charge(
    State(api): State<Api>,
    caller: Caller,
    request: Request,
    next: Next,
) -> Response {
    match caller.charge() {
        Ok(()) => next.run(request).await,
        Err(error) => refuse(&api, request, error).await,
    }
}

/// The client may send all of its body before it looks at the answer.
async fn refuse(api: &Api, request: Request, error: ApiError) -> Response {
    discard(&mut request.into_body(), &api.config.server).await;
    error.into_response()
}

/// draft-ietf-httpapi-ratelimit-headers-10
fn show(standing: Standing, headers: &mut HeaderMap) {
    let Standing {
        quota,
        window,
        remaining,
        reset,
    } = standing;
    let lines = [
        (
            "ratelimit-policy",
            format!("\"executions\";q={quota};w={window}"),
        ),
        (
            "ratelimit",
            format!("\"executions\";r={remaining};t={reset}"),
        ),
    ];
    for (name, value) in lines {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
}
