//! Where traces go, if anywhere.

use axum::http::{Uri, uri::Scheme};

use super::{ConfigError, options::options};

options! {
    /// Where traces go, if anywhere.
    TelemetryConfig from TelemetryOptions, ["telemetry"], "Telemetry";
    otlp_endpoint: String = String::new();
        "otlp-endpoint", "CELLBLOCK_OTLP_ENDPOINT",
        "URL to send OpenTelemetry traces to, by OTLP over HTTP, such as http://127.0.0.1:4318/v1/traces; empty means nowhere.";
    trace_percent: u32 = 100, in 0..=100;
        "trace-percent", "CELLBLOCK_TRACE_PERCENT",
        "Requests of a hundred that are traced, of those whose caller did not decide by a traceparent.";
}

impl TelemetryConfig {
    /// Refuses what cannot be sent to.
    pub(super) fn check_otlp_endpoint(&self) -> Result<(), ConfigError> {
        let uri = self.otlp_endpoint.parse::<Uri>();
        let fine = |uri: &Uri| uri.scheme() == Some(&Scheme::HTTP) && uri.host().is_some();
        if self.otlp_endpoint.is_empty() || uri.is_ok_and(|uri| fine(&uri)) {
            return Ok(());
        }
        Err(ConfigError::Conflict {
            key: "telemetry.otlp_endpoint".to_owned(),
            problem: format!(
                "{:?} is no URL that begins with http://; for https, send to a collector beside \
                 the server, and let that send on",
                self.otlp_endpoint
            ),
        })
    }
}
