//! How the server listens, and what it asks of a connection.

use std::time::Duration;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::options::{named, options};

options! {
    /// How the server listens, and what it asks of a connection.
    ServerConfig from ServerOptions, ["server"], "Server";
    host: String = "127.0.0.1".to_owned();
        "host", "CELLBLOCK_HOST" or "HOST", "Address or host name to listen on.";
    port: u16 = 8080, in 0..=65_535;
        "port", "CELLBLOCK_PORT" or "PORT", "Port to listen on; 0 takes a free one.";
    body_bytes: u64 = 16_777_216, in 1024..=1_073_741_824;
        "body-bytes", "CELLBLOCK_BODY_BYTES", "Largest request body in bytes.";
    header_bytes: u32 = 32_768, in 8192..=1_048_576;
        "header-bytes", "CELLBLOCK_HEADER_BYTES", "Largest request head in bytes.";
    header_timeout_ms: u64 = 10_000, in 1..=600_000;
        "header-timeout-ms", "CELLBLOCK_HEADER_TIMEOUT_MS",
        "Milliseconds within which a request's head must arrive; also closes kept-alive connections that stay idle.";
    body_timeout_ms: u64 = 30_000, in 1..=3_600_000;
        "body-timeout-ms", "CELLBLOCK_BODY_TIMEOUT_MS",
        "Milliseconds within which a request's body must arrive; also closes connections whose peer has stopped reading, or asks for nothing.";
    heartbeat_ms: u64 = 10_000, in 1..=3_600_000;
        "heartbeat-ms", "CELLBLOCK_HEARTBEAT_MS",
        "Milliseconds of silence after which an event stream gets a comment, to stay open.";
    batch_items: u32 = 100, in 1..=10_000;
        "batch-items", "CELLBLOCK_BATCH_ITEMS", "Executions of one batch.";
    idempotency_seconds: u64 = 600, in 1..=604_800;
        "idempotency-seconds", "CELLBLOCK_IDEMPOTENCY_SECONDS",
        "Seconds for which the answer to a request with an Idempotency-Key is kept.";
    idempotency_bytes: u64 = 67_108_864, in 0..=17_179_869_184;
        "idempotency-bytes", "CELLBLOCK_IDEMPOTENCY_BYTES",
        "Bytes of all kept answers together; one of more than a quarter of it is not kept.";
    max_connections: u32 = 1024, in 1..=1_000_000;
        "max-connections", "CELLBLOCK_MAX_CONNECTIONS", "Open connections; more wait to be accepted.";
    drain_seconds: u64 = 25, in 0..=3600;
        "drain-seconds", "CELLBLOCK_DRAIN_SECONDS",
        "Seconds that running scripts get to finish after SIGTERM.";
    log_format: LogFormat = LogFormat::Human;
        "log-format", "CELLBLOCK_LOG_FORMAT", "Form of the log, which goes to standard error.";
    log: String = "info".to_owned();
        "log", "CELLBLOCK_LOG",
        "What to log: off, error, warn, info, debug, trace, or directives such as info,cellblock=debug.";
}

impl ServerConfig {
    /// Time within which a request's head must arrive.
    pub fn header_timeout(&self) -> Duration {
        Duration::from_millis(self.header_timeout_ms)
    }

    /// Time within which a request's body must arrive.
    pub fn body_timeout(&self) -> Duration {
        Duration::from_millis(self.body_timeout_ms)
    }

    /// Silence after which an event stream gets a comment.
    pub fn heartbeat(&self) -> Duration {
        Duration::from_millis(self.heartbeat_ms)
    }

    /// Time that running scripts get to finish after SIGTERM.
    pub fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_seconds)
    }
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for a person.
    Human,
    /// One JSON object per line.
    Json,
}
named!(LogFormat);
