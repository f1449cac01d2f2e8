//! The log: where it goes, in which form, and what never gets into it. Beside it, where that is
//! configured, traces.
//!
//! Never in either: scripts, their input and their output. Panic messages may quote what was being
//! worked on, so of a panic only the place is logged.

mod collector;
mod trace_parent;
mod traces;

use std::io::IsTerminal;

use tracing::error;
use tracing_subscriber::{
    EnvFilter, Layer, Registry, filter::Directive, fmt, layer::SubscriberExt, registry,
    util::SubscriberInitExt,
};

pub use self::{
    trace_parent::TraceParent,
    traces::{TRACES, Traces, inherit, phase},
};
use crate::config::{ConfigError, LogFormat, ServerConfig, TelemetryConfig};

type BoxedLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// Starts logging to standard error, and tracing to where `traces` says.
pub fn init(config: &ServerConfig, traces: &TelemetryConfig) -> Result<Traces, ConfigError> {
    let (spans, traces) = traces::start(traces)?;
    // A layer that is not there must not be one that takes everything, so they are a list.
    let layers: Vec<_> = [log(config)?].into_iter().chain(spans).collect();
    // A second start, as in tests, keeps the first one's log.
    let _ = registry().with(layers).try_init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        error!(place, "a bug: the program panicked");
    }));
    Ok(traces)
}

/// The log without the spans that traces are made of: those of its own say whose line it is.
fn log(config: &ServerConfig) -> Result<BoxedLayer, ConfigError> {
    let filter = EnvFilter::try_new(&config.log).map_err(|error| ConfigError::Conflict {
        key: "server.log".to_owned(),
        problem: format!(
            "{:?} is no log filter ({error}); write a level such as info, or info,cellblock=debug",
            config.log
        ),
    })?;
    let no_traces = format!("{TRACES}=off").parse::<Directive>().ok();
    let filter = no_traces.into_iter().fold(filter, EnvFilter::add_directive);
    let log = fmt::layer().with_writer(std::io::stderr);
    Ok(match config.log_format {
        LogFormat::Json => {
            let json = log.json().flatten_event(true).with_span_list(false);
            json.with_filter(filter).boxed()
        }
        LogFormat::Human => {
            let colour = std::io::stderr().is_terminal();
            let human = log.with_ansi(colour).with_target(false);
            human.with_filter(filter).boxed()
        }
    })
}
