//! Traces: what took how long in a request, for a collector of OpenTelemetry.
//!
//! They are made of spans of one target of their own, which the log does not see; and they see
//! nothing of the log.

use opentelemetry::{Context, KeyValue, context::FutureExt, trace::TracerProvider};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{Sampler, SdkTracerProvider},
};
use tracing::{Instrument, Span, info_span, level_filters::LevelFilter, warn};
use tracing_subscriber::{Layer, filter::Targets};

use super::{BoxedLayer, collector::Collector};
use crate::config::{ConfigError, TelemetryConfig};

/// The target of every span that is part of a trace.
pub const TRACES: &str = "cellblock::traces";

/// Sends traces, if they are to be sent, until [`Traces::finish`].
#[derive(Debug)]
pub struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// Sends what has not been sent yet. It takes a few seconds where nobody answers.
    pub async fn finish(self) {
        let Some(provider) = self.0 else { return };
        let shutdown = tokio::task::spawn_blocking(move || provider.shutdown());
        if let Ok(Err(error)) = shutdown.await {
            warn!(%error, "the last traces were not sent");
        }
    }
}

/// A part of an execution, within what is being traced.
pub fn phase(name: &'static str) -> Span {
    info_span!(target: TRACES, "phase", otel.name = name)
}

/// Lets work that becomes a task of its own log and trace as part of what it is spawned by.
///
/// Two ways to hand that on, since neither the log nor the traces see the spans of the other.
pub fn inherit<F: Future>(work: F) -> impl Future<Output = F::Output> + use<F> {
    let work = work.instrument(Span::current());
    work.with_context(Context::current())
}

/// What makes traces of spans, where that is configured, and what sends them. Sending goes on
/// beside everything else, and what finds its queue full is dropped.
pub(super) fn start(config: &TelemetryConfig) -> Result<(Option<BoxedLayer>, Traces), ConfigError> {
    if config.otlp_endpoint.is_empty() {
        return Ok((None, Traces(None)));
    }
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Collector::new())
        .with_endpoint(&config.otlp_endpoint)
        .with_protocol(Protocol::HttpBinary)
        .build();
    let exporter = exporter.map_err(|error| ConfigError::Conflict {
        key: "telemetry.otlp_endpoint".to_owned(),
        problem: error.to_string(),
    })?;
    let share = Sampler::TraceIdRatioBased(f64::from(config.trace_percent) / 100.0);
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(Sampler::ParentBased(Box::new(share)))
        .with_resource(resource())
        .build();
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("cellblock"))
        .with_tracked_inactivity(false)
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_level(false)
        .with_filter(Targets::new().with_target(TRACES, LevelFilter::INFO));
    Ok((Some(layer.boxed()), Traces(Some(provider))))
}

fn resource() -> Resource {
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let resource = Resource::builder().with_service_name("cellblock");
    resource.with_attribute(version).build()
}
