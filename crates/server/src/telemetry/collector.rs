//! How traces get to a collector.

use std::time::Duration;

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use ureq::Agent;

/// How long sending may take, connecting included.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of an answer that are read; all that it may say is which spans were refused, and why.
const MOST_READ: u64 = 65_536;

/// A client of a collector. It blocks, which is well where it is used: on the thread that does
/// nothing but send traces.
#[derive(Debug)]
pub(super) struct Collector(Agent);

impl Collector {
    pub(super) fn new() -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .max_redirects(0)
            // Traces go where the configuration says, and nowhere else.
            .proxy(None)
            .build();
        Self(config.into())
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        let answer = self.0.run(Request::from_parts(head, &body[..]))?;
        let (head, mut body) = answer.into_parts();
        let body = body.with_config().limit(MOST_READ).read_to_vec()?;
        Ok(Response::from_parts(head, body.into()))
    }
}
