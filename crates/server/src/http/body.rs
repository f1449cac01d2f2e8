//! From a request to its body, and to a validated execution: media type, size and time are checked on the way.

use std::time::Duration;

use axum::{
    body::{Body, HttpBody},
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use http_body_util::BodyExt;
use tokio::time::timeout;

use super::{Api, ApiError, access::Caller, once};
use crate::{
    config::ServerConfig,
    execution::{Draft, ExecutionRequest, InvalidRequest, parse},
};

/// How much of a refused body is read and thrown away, as a multiple of the largest body, so that
/// a client that sends before it reads gets to see the refusal instead of a reset connection.
const DISCARDED: u64 = 4;
/// How long that goes on.
const DISCARD_TIME: Duration = Duration::from_secs(2);

/// A body of JSON, and what tells one sending of it from another.
pub(super) struct Posted {
    pub(super) bytes: Vec<u8>,
    pub(super) path: String,
    /// `Idempotency-Key`.
    pub(super) once: Option<String>,
}

impl Posted {
    /// The execution that it asks for.
    pub(super) fn request(&self, caller: &Caller, api: &Api) -> Result<ExecutionRequest, ApiError> {
        validate(parse(&self.bytes)?, caller, api)
    }

    /// An answer that is read while it is made cannot be given a second time.
    pub(super) fn must_be_repeatable(&self, media_type: &str) -> Result<(), ApiError> {
        if self.once.is_none() {
            return Ok(());
        }
        let problem = format!("is not taken for answers in {media_type}");
        Err(InvalidRequest::field("Idempotency-Key", problem).into())
    }
}

impl FromRequest<Api> for Posted {
    type Rejection = ApiError;

    async fn from_request(request: Request, api: &Api) -> Result<Self, ApiError> {
        let config = &api.config.server;
        let (head, mut body) = request.into_parts();
        if let Err(error) = check_media_type(&head.headers) {
            discard(&mut body, config).await;
            return Err(error);
        }
        let bytes = read(&mut body, config).await?;
        let once = head.headers.get(once::HEADER);
        Ok(Self {
            bytes,
            path: head.uri.path().to_owned(),
            once: once.map(|key| String::from_utf8_lossy(key.as_bytes()).into_owned()),
        })
    }
}

/// Checks a draft against the rules for its environment and for its caller.
pub(super) fn validate(
    draft: Draft,
    caller: &Caller,
    api: &Api,
) -> Result<ExecutionRequest, ApiError> {
    let mut request = draft.validate_below(&api.config, caller.ceilings())?;
    request.client = caller.client();
    caller.check_environment(&request.environment)?;
    Ok(request)
}

/// JSON, whatever its parameters; not compressed.
fn check_media_type(headers: &HeaderMap) -> Result<(), ApiError> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or(""));
    let Some(content_type) = text(header::CONTENT_TYPE) else {
        return Err(ApiError::MediaType(
            "Content-Type is missing; send application/json",
        ));
    };
    let essence = content_type.split(';').next().unwrap_or("");
    let essence = essence.trim().to_ascii_lowercase();
    let json = essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"));
    if !json {
        return Err(ApiError::MediaType(
            "Content-Type is not JSON; send application/json",
        ));
    }
    match text(header::CONTENT_ENCODING) {
        None | Some("identity") => Ok(()),
        Some(_) => Err(ApiError::MediaType(
            "Content-Encoding is not taken; send the body as it is",
        )),
    }
}

/// The whole body, if it is small enough and comes soon enough.
async fn read(body: &mut Body, config: &ServerConfig) -> Result<Vec<u8>, ApiError> {
    let too_large = ApiError::TooLarge(config.body_bytes);
    if body.size_hint().lower() > config.body_bytes {
        discard(body, config).await;
        return Err(too_large);
    }
    let collected = timeout(config.body_timeout(), collect(body, config.body_bytes)).await;
    let collected = collected.map_err(|_| ApiError::SlowBody(config.body_timeout_ms))??;
    if collected.is_none() {
        discard(body, config).await;
    }
    collected.ok_or(too_large)
}

/// Reads up to `limit` bytes; `None` where there are more.
async fn collect(body: &mut Body, limit: u64) -> Result<Option<Vec<u8>>, ApiError> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ApiError::BrokenBody)?;
        if let Ok(data) = frame.into_data() {
            if (bytes.len() + data.len()) as u64 > limit {
                return Ok(None);
            }
            bytes.extend_from_slice(&data);
        }
    }
    Ok(Some(bytes))
}

/// Throws away what is left of a refused body, within reason.
pub(super) async fn discard(body: &mut Body, config: &ServerConfig) {
    let most = config.body_bytes.saturating_mul(DISCARDED);
    let reading = async {
        let mut left = most;
        while let Some(Ok(frame)) = body.frame().await {
            let len = frame.data_ref().map_or(0, |data| data.len() as u64);
            match left.checked_sub(len) {
                Some(rest) => left = rest,
                None => break,
            }
        }
    };
    // Out of time is as good as done.
    let _ = timeout(DISCARD_TIME, reading).await;
}
