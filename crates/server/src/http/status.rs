//! The one rule for status codes.

use axum::http::StatusCode;

use crate::execution::ErrorType;

/// The status of an answer whose `error.type` is this. What a script does is always a 400: a
/// client or a proxy would retry a 408 or 504, and the script would time out again.
pub(super) fn of(kind: ErrorType) -> StatusCode {
    match kind {
        ErrorType::InvalidRequest
        | ErrorType::SyntaxError
        | ErrorType::MissingMain
        | ErrorType::Exception
        | ErrorType::RestrictedImport
        | ErrorType::ResultNotJson
        | ErrorType::ResultTooLarge
        | ErrorType::Timeout
        | ErrorType::CpuLimit
        | ErrorType::MemoryLimit
        | ErrorType::Exited
        | ErrorType::Crashed => StatusCode::BAD_REQUEST,
        ErrorType::Unauthorized => StatusCode::UNAUTHORIZED,
        ErrorType::Forbidden => StatusCode::FORBIDDEN,
        ErrorType::NotFound => StatusCode::NOT_FOUND,
        ErrorType::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ErrorType::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorType::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ErrorType::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorType::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
        ErrorType::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
