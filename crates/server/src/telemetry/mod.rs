//! The log: where it goes, in which form, and what never gets into it.
//!
//! Never in it: scripts, their input and their output. Panic messages may quote what was being
//! worked on, so of a panic only the place is logged.

mod trace_parent;

use std::io::IsTerminal;

use tracing::error;
use tracing_subscriber::EnvFilter;

pub use self::trace_parent::TraceParent;
use crate::config::{ConfigError, LogFormat, ServerConfig};

/// Starts logging to standard error.
pub fn init(config: &ServerConfig) -> Result<(), ConfigError> {
    let filter = EnvFilter::try_new(&config.log).map_err(|error| ConfigError::Conflict {
        key: "server.log".to_owned(),
        problem: format!(
            "{:?} is no log filter ({error}); write a level such as info, or info,cellblock=debug",
            config.log
        ),
    })?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A second start, as in tests, keeps the first one's log.
    let _ = match config.log_format {
        LogFormat::Json => {
            let json = log.json().flatten_event(true).with_span_list(false);
            json.try_init()
        }
        LogFormat::Human => {
            let colour = std::io::stderr().is_terminal();
            log.with_ansi(colour).with_target(false).try_init()
        }
    };
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        error!(place, "a bug: the program panicked");
    }));
    Ok(())
}
