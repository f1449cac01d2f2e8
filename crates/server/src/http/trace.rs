//! `traceparent`: the trace that a request is part of, for the log, and for what traces it here.

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderMap, HeaderName, Method, StatusCode},
};
use opentelemetry::{
    Context,
    trace::{SpanContext, TraceContextExt, TraceFlags, TraceState},
};
use tracing::{Span, field, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::request_id::RequestId;
use crate::telemetry::{TRACES, TraceParent};

const PARENT: HeaderName = HeaderName::from_static("traceparent");
const STATE: HeaderName = HeaderName::from_static("tracestate");

/// The id of a request's trace, to be found in its extensions where it has one.
#[derive(Debug, Clone)]
pub(super) struct TraceId(pub(super) String);

impl From<u128> for TraceId {
    fn from(id: u128) -> Self {
        Self(format!("{id:032x}"))
    }
}

/// Finds the request's trace, and begins the part of it that the request is.
pub(super) fn begin(request: &mut Request) -> Span {
    let parent = parent(request.headers());
    let span = span(request);
    let id = if span.is_disabled() {
        parent.map(|parent| TraceId::from(parent.trace_id))
    } else {
        if let Some(parent) = parent {
            // It fails for spans that have begun, which this one has not.
            let _ = span.set_parent(context(parent, request.headers()));
        }
        let context = span.context();
        let id = context.span().span_context().trace_id();
        Some(TraceId::from(u128::from_be_bytes(id.to_bytes())))
    };
    if let Some(id) = id {
        request.extensions_mut().insert(id);
    }
    span
}

/// Notes how it was answered.
pub(super) fn note(span: &Span, status: StatusCode) {
    span.record("http.response.status_code", i64::from(status.as_u16()));
    // What is the client's fault is no error of the server's.
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
}

/// The span of a request, by the names that OpenTelemetry has for HTTP. Of what the client sent it
/// has the method, if it is a usual one, and the request's id.
fn span(request: &Request) -> Span {
    let method = known(request.method());
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map(MatchedPath::as_str);
    let id = request.extensions().get::<RequestId>();
    info_span!(
        target: TRACES,
        "request",
        otel.name = route.map_or(method.to_owned(), |route| format!("{method} {route}")),
        otel.kind = "server",
        otel.status_code = field::Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = field::Empty,
        cellblock.request_id = id.map(|id| id.0.as_str()),
    )
}

/// A method that clients have made up gets the name that OpenTelemetry has for those.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "_OTHER",
    }
}

/// What the caller says. Twice is as good as not at all: nobody could tell which one it meant.
fn parent(headers: &HeaderMap) -> Option<TraceParent> {
    let mut values = headers.get_all(PARENT).iter();
    let only = values.next().filter(|_| values.next().is_none())?;
    TraceParent::parse(only.as_bytes())
}

/// The caller's part of the trace, as OpenTelemetry has it.
fn context(parent: TraceParent, headers: &HeaderMap) -> Context {
    let flags = TraceFlags::default().with_sampled(parent.sampled);
    let states = headers.get_all(STATE).iter().map(|value| value.to_str());
    let states: Result<Vec<_>, _> = states.collect();
    // Section 3.3 of the specification: what cannot be read is left out, and the trace goes on.
    let state = states.ok().and_then(|states| states.join(",").parse().ok());
    let context = SpanContext::new(
        parent.trace_id.into(),
        parent.parent_id.into(),
        flags,
        true,
        state.unwrap_or(TraceState::NONE),
    );
    Context::new().with_remote_span_context(context)
}
