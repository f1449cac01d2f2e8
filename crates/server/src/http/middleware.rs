//! What every request passes through, from the outside in.

use std::any::Any;

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, header},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;

use super::{ApiError, access_log, request_id};

/// Puts the middleware around the routes. The first layer is the outermost.
pub(super) fn around(routes: Router) -> Router {
    routes.layer(
        ServiceBuilder::new()
            .layer(from_fn(request_id::assign))
            .layer(from_fn(access_log::log))
            .layer(from_fn(set_headers))
            .layer(CatchPanicLayer::custom(answer_panic)),
    )
}

/// Answers are data for one reader: not to be guessed at as a page, not to be kept by a cache.
async fn set_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// A bug of ours ends one request, not the server. The panic hook has logged where it was.
fn answer_panic(_: Box<dyn Any + Send>) -> Response {
    ApiError::Internal("a handler panicked".to_owned()).into_response()
}
