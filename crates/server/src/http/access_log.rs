//! One line per request when it is over. Never a body, a header's value or a query: scripts, their
//! input and their output belong to the client.

use std::time::Instant;

use axum::{
    extract::Request,
    http::{Method, StatusCode},
};
use tracing::{Span, field, info, info_span};

use super::{request_id::RequestId, trace::TraceId};

/// Longest path that is logged, in bytes.
const MAX_PATH: usize = 200;

/// Begins the span that puts the ids of the request and of its trace on every log line in it, and
/// logs its end.
pub(super) fn begin(request: &Request) -> Entry {
    let id = request.extensions().get::<RequestId>();
    let span = info_span!(
        "request",
        id = id.map_or("-", |id| &id.0),
        trace = field::Empty,
        key = field::Empty
    );
    if let Some(TraceId(trace)) = request.extensions().get() {
        span.record("trace", trace.as_str());
    }
    let path = request.uri().path();
    Entry {
        span,
        method: request.method().clone(),
        path: path[..path.floor_char_boundary(MAX_PATH)].to_owned(),
        started: Instant::now(),
        status: None,
    }
}

/// A request that has not ended. Dropped before [`Entry::finish`], its client has left.
pub(super) struct Entry {
    span: Span,
    method: Method,
    path: String,
    started: Instant,
    status: Option<StatusCode>,
}

impl Entry {
    /// What belongs to the request.
    pub(super) fn span(&self) -> &Span {
        &self.span
    }

    pub(super) fn finish(mut self, status: StatusCode) {
        self.status = Some(status);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let _entered = self.span.enter();
        let (method, path) = (&self.method, &self.path);
        let ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        if let Some(status) = self.status {
            info!(%method, path, status = status.as_u16(), ms, "answered");
        } else {
            info!(%method, path, ms, "the client left");
        }
    }
}
