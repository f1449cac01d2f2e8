//! `GET /v1/environments`: what a request may name, and what it gets.

use axum::{extract::State, http::StatusCode, response::Response};
use serde::Serialize;

use super::{Api, error::json};
use crate::{
    config::{EngineKind, EnvironmentConfig, LimitsConfig},
    engine::EnvironmentHealth,
};

#[derive(Serialize)]
struct List<'a> {
    environments: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    ready: bool,
    python: Option<&'a str>,
    engine: EngineKind,
    preload: &'a [String],
    restricted: &'a [String],
    limits: Limits,
}

/// What a request may set, under the names that it uses.
#[derive(Serialize)]
struct Limits {
    timeout_ms: Bounds,
    cpu_ms: Bounds,
    memory_mb: Bounds,
}

#[derive(Serialize)]
struct Bounds {
    default: u64,
    maximum: u64,
}

/// Lists the environments by name.
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
