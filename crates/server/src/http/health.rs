//! `GET /health`: whether to send executions here, and what isolation they would get.

use axum::{extract::State, http::StatusCode, response::Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Api, error::json};
use crate::engine::{EnvironmentHealth, LayerState};

/// How the server is.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    /// Whether to send executions here.
    status: Phase,
    /// The program's version.
    version: &'static str,
    /// Every configured environment, by name.
    environments: Vec<EnvironmentHealth>,
    /// Every isolation layer, in the order in which they are applied.
    isolation: Vec<LayerState>,
    /// What the operator should see to; absent where there is nothing.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Vec<String>, required = false)]
    warnings: &'static [&'static str],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Phase {
    /// Not yet.
    Starting,
    /// Yes.
    Ready,
    /// Not now: no environment can run one.
    Degraded,
    /// No more.
    Draining,
}

/// Whether an execution would be taken now
///
/// With the isolation layers that are in force, each with the reason where it is not on.
#[utoipa::path(
    get,
    path = "/health",
    tag = "Server",
    operation_id = "health",
    security(()),
    responses(
        (status = 200, description = "It would.", body = Health),
        (status = 503, description = "It would not: the server starts or drains, or no environment can run one.", body = Health),
    )
)]
pub(super) async fn health(State(api): State<Api>) -> Response {
    let engine = api.engine.health();
    let phase = match (api.is_draining(), engine.ready, engine.degraded) {
        (true, ..) => Phase::Draining,
        (false, false, _) => Phase::Starting,
        (false, true, true) => Phase::Degraded,
        (false, true, false) => Phase::Ready,
    };
    let status = match phase {
        Phase::Ready => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
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
