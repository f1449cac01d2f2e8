//! Every way in which a request gets no record, and how it is answered.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use thiserror::Error;
use tracing::error;
use utoipa::ToSchema;

use super::{metrics::Rejected, status};
use crate::{
    engine::EngineError,
    execution::{ErrorType, Failure, InvalidRequest},
};

/// Why a request was not carried out. The texts are for the client.
#[derive(Debug, Error)]
pub enum ApiError {
    /// The client's fault: the body is no request.
    #[error(transparent)]
    Invalid(#[from] InvalidRequest),
    /// The client's fault, or its network's: the body did not arrive in time.
    #[error("the body did not arrive within {0} ms")]
    SlowBody(u64),
    /// The client's fault, or its network's: the body ended before its end.
    #[error("the body broke off")]
    BrokenBody,
    /// The client's fault: no key, or an unknown one.
    #[error("{0}")]
    Unauthorized(&'static str),
    /// The client's fault: its key is not for that.
    #[error("{0}")]
    Forbidden(String),
    /// The client's fault: more than its key may ask for.
    #[error("{problem}; try again in {retry_after} s")]
    RateLimited {
        /// More of what.
        problem: String,
        /// Seconds after which to try again.
        retry_after: u64,
    },
    /// The client's fault: no such path.
    #[error("no such path; POST a script to /execute")]
    NotFound,
    /// The client's fault: no such method here. The `Allow` header has those that there are.
    #[error("this path does not take that method; see the Allow header")]
    MethodNotAllowed,
    /// The client's fault: too much sent.
    #[error("the body is above this server's maximum of {0} bytes")]
    TooLarge(u64),
    /// The client's fault: the body does not claim to be JSON.
    #[error("{0}")]
    MediaType(&'static str),
    /// Nobody's fault: every place is taken and the queue is full, or waiting took too long.
    #[error("no room now; try again")]
    Overloaded,
    /// Nobody's fault: the server is starting or shutting down.
    #[error("the server is starting or shutting down; try again")]
    Unavailable,
    /// The operator's to mend: the environment has no cells.
    #[error("{0}")]
    NotReady(String),
    /// Ours. The text is for the log and never leaves the server.
    #[error("the server failed; its log has the cause under this request's x-request-id")]
    Internal(String),
}

/// The body of every answer that is not 200; those of `/execute` may have more.
#[derive(Serialize, ToSchema)]
#[schema(as = ErrorBody)]
pub(super) struct Body<'a> {
    /// What went wrong.
    error: &'a Failure,
}

impl ApiError {
    /// The error of an engine that has these environments.
    pub fn from_engine(error: EngineError, environments: &str) -> Self {
        match error {
            EngineError::UnknownEnvironment(name) => {
                let problem =
                    format!("no environment is named {name:?}; there are: {environments}");
                InvalidRequest::field("environment", problem).into()
            }
            EngineError::Overloaded => Self::Overloaded,
            EngineError::Unavailable => Self::Unavailable,
            error @ EngineError::NotReady { .. } => Self::NotReady(error.to_string()),
            EngineError::Internal(cause) => Self::Internal(cause),
        }
    }

    /// The `error.type`.
    pub fn kind(&self) -> ErrorType {
        match self {
            Self::Invalid(_) | Self::SlowBody(_) | Self::BrokenBody => ErrorType::InvalidRequest,
            Self::Unauthorized(_) => ErrorType::Unauthorized,
            Self::Forbidden(_) => ErrorType::Forbidden,
            Self::RateLimited { .. } => ErrorType::RateLimited,
            Self::NotFound => ErrorType::NotFound,
            Self::MethodNotAllowed => ErrorType::MethodNotAllowed,
            Self::TooLarge(_) => ErrorType::PayloadTooLarge,
            Self::MediaType(_) => ErrorType::UnsupportedMediaType,
            Self::Overloaded | Self::Unavailable | Self::NotReady(_) => ErrorType::Overloaded,
            Self::Internal(_) => ErrorType::Internal,
        }
    }

    /// Seconds after which to try again, where that may help: a place is free soon, a server is
    /// back a little later.
    fn retry_after(&self) -> Option<HeaderValue> {
        match self {
            Self::Overloaded => Some(HeaderValue::from_static("1")),
            Self::Unavailable | Self::NotReady(_) => Some(HeaderValue::from_static("5")),
            Self::RateLimited { retry_after, .. } => Some(HeaderValue::from(*retry_after)),
            _ => None,
        }
    }
}

impl ApiError {
    /// The error as clients see it. One of ours is logged with its cause.
    pub(super) fn into_failure(self) -> Failure {
        if let Self::Internal(cause) = &self {
            error!(cause, "a request failed, and it is our fault");
        }
        Failure::new(self.kind(), self.to_string())
    }

    /// The body that an answer with this error has.
    pub(super) fn into_json(self) -> String {
        let failure = self.into_failure();
        serde_json::to_string(&Body { error: &failure }).unwrap_or_default()
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let retry_after = self.retry_after();
        let failure = self.into_failure();
        let mut response = json(status::of(failure.kind), &Body { error: &failure });
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response.extensions_mut().insert(Rejected(failure.kind));
        if failure.kind == ErrorType::Unauthorized {
            let scheme = HeaderValue::from_static("Bearer realm=\"cellblock\"");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

/// An answer in JSON.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_string(body) {
        Ok(text) => json_text(status, text),
        Err(error) => {
            error!(%error, "an answer could not be written as JSON");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// An answer whose JSON is written already.
pub(super) fn json_text(status: StatusCode, text: String) -> Response {
    let content_type = [(header::CONTENT_TYPE, "application/json")];
    (status, content_type, text).into_response()
}
