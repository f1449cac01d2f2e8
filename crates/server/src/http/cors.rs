//! Which pages of other origins may call the API: none, unless configured.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::once;
use crate::config::AccessConfig;

/// How long a browser may remember what it was allowed.
const MAX_AGE: Duration = Duration::from_hours(1);

/// The layer that allows what is configured, if anything is.
pub(super) fn layer(config: &AccessConfig) -> Option<CorsLayer> {
    let origins: Vec<HeaderValue> = config
        .origins()
        .filter_map(|text| text.parse().ok())
        .collect();
    if origins.is_empty() {
        return None;
    }
    let allowed = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origins)
    };
    let request_id = HeaderName::from_static("x-request-id");
    let cors = CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([
            header::ACCEPT,
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            HeaderName::from_static("x-api-key"),
            once::HEADER,
            request_id.clone(),
        ])
        .expose_headers([
            header::RETRY_AFTER,
            HeaderName::from_static("ratelimit"),
            HeaderName::from_static("ratelimit-policy"),
            HeaderName::from_static("idempotency-replayed"),
            request_id,
        ])
        .max_age(MAX_AGE);
    Some(cors)
}
