//! `GET /v1/environments`: what a request may name, and what it gets.

use axum::{extract::State, http::StatusCode, response::Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Api, error::json};
use crate::{
    config::{EngineKind, EnvironmentConfig, LimitsConfig},
    engine::EnvironmentHealth,
};

/// The environments by name.
#[derive(Serialize, ToSchema)]
#[schema(as = EnvironmentList)]
pub(super) struct List<'a> {
    environments: Vec<Entry<'a>>,
}

/// What a request gets that names it.
#[derive(Serialize, ToSchema)]
#[schema(as = Environment)]
struct Entry<'a> {
    /// What a request names.
    name: &'a str,
    /// It can run an execution now.
    ready: bool,
    /// Such as `3.13.0`; `null` until its interpreter has answered.
    python: Option<&'a str>,
    /// How its cells are made.
    engine: EngineKind,
    /// Modules that are imported ahead of need, so that importing them takes no time.
    preload: &'a [String],
    /// Modules that a script itself may not import.
    restricted: &'a [String],
    /// What a request may set.
    limits: Limits,
}

/// What a request may set, under the names that it uses.
#[derive(Serialize, ToSchema)]
#[schema(as = EnvironmentLimits)]
struct Limits {
    /// Wall clock.
    timeout_ms: Bounds,
    /// CPU time.
    cpu_ms: Bounds,
    /// Memory.
    memory_mb: Bounds,
}

/// One limit.
#[derive(Serialize, ToSchema)]
struct Bounds {
    /// Where the request says nothing.
    default: u64,
    /// The most that it may say.
    maximum: u64,
}

/// List environments
#[utoipa::path(
    get,
    path = "/v1/environments",
    tag = "Server",
    operation_id = "environments",
    responses((status = 200, description = "By name.", body = List))
)]
pub(super) async fn list(State(api): State<Api>) -> Response {
    let health = api.engine.health().environments;
    let environments = api.config.environments.iter().map(|(name, config)| {
        let health = health.iter().find(|health| health.name == *name);
        Entry::new(name, config, health)
    });
    let environments = environments.collect();
    json(StatusCode::OK, &List { environments })
}

impl<'a> Entry<'a> {
    fn new(
        name: &'a str,
        config: &'a EnvironmentConfig,
        health: Option<&'a EnvironmentHealth>,
    ) -> Self {
        Self {
            name,
            ready: health.is_some_and(|health| health.ready),
            python: health.and_then(|health| health.python.as_deref()),
            engine: config.engine,
            preload: &config.preload,
            restricted: &config.restricted,
            limits: Limits::from(&config.limits),
        }
    }
}

impl From<&LimitsConfig> for Limits {
    fn from(config: &LimitsConfig) -> Self {
        let time = || Bounds {
            default: config.default_timeout_ms,
            maximum: config.max_timeout_ms,
        };
        Self {
            timeout_ms: time(),
            cpu_ms: time(),
            memory_mb: Bounds {
                default: config.default_memory_mb,
                maximum: config.max_memory_mb,
            },
        }
    }
}
