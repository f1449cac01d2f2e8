//! `traceparent`: the trace that a request is part of, for the log.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName},
    middleware::Next,
    response::Response,
};

use crate::telemetry::TraceParent;

const HEADER: HeaderName = HeaderName::from_static("traceparent");

/// The id of a request's trace, to be found in its extensions where it has one.
#[derive(Debug, Clone)]
pub(super) struct TraceId(pub(super) String);

/// Middleware that finds the request's trace.
pub(super) async fn find(mut request: Request, next: Next) -> Response {
    if let Some(parent) = parent(request.headers()) {
        let id = TraceId(format!("{:032x}", parent.trace_id));
        request.extensions_mut().insert(id);
    }
    next.run(request).await
}

/// What the caller says. Twice is as good as not at all: nobody could tell which one it meant.
fn parent(headers: &HeaderMap) -> Option<TraceParent> {
    let mut values = headers.get_all(HEADER).iter();
    let only = values.next().filter(|_| values.next().is_none())?;
    TraceParent::parse(only.as_bytes())
}
