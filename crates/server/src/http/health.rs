//! `GET /health`: whether to send executions here, and what isolation they would get.

use axum::{extract::State, http::StatusCode, response::Response};
use serde::Serialize;

use super::{Api, error::json};
use crate::engine::{EnvironmentHealth, LayerState};

#[derive(Serialize)]
struct Health {
    status: Phase,
    version: &'static str,
    environments: Vec<EnvironmentHealth>,
    isolation: Vec<LayerState>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    warnings: &'static [&'static str],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Phase {
    Starting,
    Ready,
    Draining,
}

/// 200 where an execution would be taken now, else 503; the body is the same in both cases.
pub(super) async fn health(State(api): State<Api>) -> Response {
    let engine = api.engine.health();
    let (status, phase) = match (api.is_draining(), engine.ready) {
        (true, _) => (StatusCode::SERVICE_UNAVAILABLE, Phase::Draining),
        (false, false) => (StatusCode::SERVICE_UNAVAILABLE, Phase::Starting),
        (false, true) => (StatusCode::OK, Phase::Ready),
    };
    let health = Health {
        status: phase,
        version: env!("CARGO_PKG_VERSION"),
        environments: engine.environments,
        isolation: engine.isolation,
        warnings: api.warnings(),
    };
    json(status, &health)
}
