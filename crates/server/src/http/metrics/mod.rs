//! `GET /metrics`, for Prometheus. Every label's values come from a closed list or from the
//! configuration, never from a request.

mod engine;

use std::{sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, histogram::Histogram, info::Info},
    registry::Registry,
};
use tracing::{Span, field, info_span};

use self::engine::EngineCollector;
use super::{Api, ApiError};
use crate::{
    engine::{Engine, SECONDS},
    execution::{ErrorType, Outcome},
    telemetry::TRACES,
};

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Everything that is counted.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    runs: Family<RunLabels, Counter>,
    seconds: Family<PhaseLabels, Histogram>,
    rejected: Family<RejectedLabels, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RunLabels {
    environment: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PhaseLabels {
    environment: String,
    phase: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RejectedLabels {
    reason: &'static str,
}

/// In a response: the request was not carried out, and why.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rejected(pub(super) ErrorType);

/// A run that has not ended. Dropped before [`Run::ended`], its client has left.
pub(super) struct Run<'a> {
    metrics: &'a Metrics,
    environment: String,
    outcome: Option<&'static str>,
    span: Span,
}

impl Metrics {
    pub(super) fn new(engine: Arc<Engine>) -> Self {
        let mut registry = Registry::with_prefix("cellblock");
        let runs = Family::<RunLabels, Counter>::default();
        let seconds =
            Family::<PhaseLabels, Histogram>::new_with_constructor(|| Histogram::new(SECONDS));
        let rejected = Family::<RejectedLabels, Counter>::default();
        registry.register(
            "runs",
            "Executions that were started, by how they ended",
            runs.clone(),
        );
        registry.register(
            "phase_seconds",
            "Time of an execution: queue, for a place; start, for a cell; run; collect what is left; total",
            seconds.clone(),
        );
        registry.register(
            "rejected_requests",
            "Requests and batch items that were not carried out",
            rejected.clone(),
        );
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program that runs", build);
        registry.register_collector(Box::new(EngineCollector(engine)));
        Self {
            registry,
            runs,
            seconds,
            rejected,
        }
    }

    /// Begins to watch a run.
    pub(super) fn run(&self, environment: &str) -> Run<'_> {
        Run {
            metrics: self,
            environment: environment.to_owned(),
            outcome: Some("abandoned"),
            span: info_span!(target: TRACES, "execution", environment, outcome = field::Empty),
        }
    }

    /// Counts what was not carried out.
    pub(super) fn reject(&self, reason: ErrorType) {
        let labels = RejectedLabels {
            reason: reason.name(),
        };
        self.rejected.get_or_create(&labels).inc();
    }
}

impl Run<'_> {
    /// The span of the execution, in which its phases are.
    pub(super) fn span(&self) -> Span {
        self.span.clone()
    }

    /// Counts a run that ended by itself, or was refused by the engine.
    pub(super) fn ended(mut self, ended: &Result<Outcome, ApiError>, total: Duration) {
        self.outcome = match ended {
            Ok(outcome) => {
                let usage = &outcome.usage;
                for (phase, time) in [
                    ("queue", usage.queue),
                    ("start", usage.start),
                    ("run", usage.wall),
                    ("collect", usage.collect),
                    ("total", total),
                ] {
                    self.observe(phase, time);
                }
                let failed = outcome.result.as_ref().err();
                Some(failed.map_or("succeeded", |failure| failure.kind.name()))
            }
            Err(ApiError::Internal(_)) => Some(ErrorType::Internal.name()),
            Err(_) => None,
        };
    }

    fn observe(&self, phase: &'static str, time: Duration) {
        let environment = self.environment.clone();
        let labels = PhaseLabels { environment, phase };
        let histogram = self.metrics.seconds.get_or_create(&labels);
        histogram.observe(time.as_secs_f64());
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        if let Some(outcome) = self.outcome {
            self.span.record("outcome", outcome);
            let environment = std::mem::take(&mut self.environment);
            let labels = RunLabels {
                environment,
                outcome,
            };
            self.metrics.runs.get_or_create(&labels).inc();
        }
    }
}

/// Metrics for Prometheus
///
/// In the text form of OpenMetrics 1.0.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "Server",
    operation_id = "metrics",
    responses((
        status = 200,
        description = "Counters, gauges and histograms.",
        body = String,
        content_type = "application/openmetrics-text"
    ))
)]
pub(super) async fn metrics(State(api): State<Api>) -> Result<Response, ApiError> {
    let mut body = String::new();
    text::encode(&mut body, &api.metrics.registry)
        .map_err(|error| ApiError::Internal(error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], body).into_response())
}

/// Counts the request if it was not carried out.
pub(super) fn count(api: &Api, response: Response) -> Response {
    if let Some(Rejected(reason)) = response.extensions().get() {
        api.metrics.reject(*reason);
    }
    response
}
