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
use tower_http::{
    CompressionLevel,
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer, Predicate,
        predicate::{NotForContentType, SizeAbove},
    },
};

use super::{ApiError, access_log, batch::NDJSON, request_id, trace};

/// Bytes below which compression is not worth the time.
const COMPRESSED_ABOVE: u16 = 1024;

/// Puts the middleware around the routes. The first layer is the outermost.
pub(super) fn around(routes: Router) -> Router {
    routes.layer(
        ServiceBuilder::new()
            .layer(from_fn(request_id::assign))
            .layer(from_fn(trace::trace))
            .layer(from_fn(access_log::log))
            .layer(from_fn(set_headers))
            .layer(compression())
            .layer(CatchPanicLayer::custom(answer_panic)),
    )
}

/// Compresses what is large, where the client asks for that; not what is read while it is made,
/// which would come late.
fn compression() -> CompressionLayer<impl Predicate> {
    let worthwhile = SizeAbove::new(COMPRESSED_ABOVE)
        .and(NotForContentType::SSE)
        .and(NotForContentType::const_new(NDJSON));
    CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(worthwhile)
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
