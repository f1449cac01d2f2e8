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

use tracing::Instrument;

use super::{ApiError, access_log, batch::NDJSON, request_id, trace};

/// Bytes below which compression is not worth the time.
const COMPRESSED_ABOVE: u16 = 1024;

/// Puts the middleware around the routes. The first layer is the outermost.
pub(super) fn around(routes: Router) -> Router {
    routes.layer(
        ServiceBuilder::new()
            .layer(from_fn(pass))
            .layer(compression())
            .layer(CatchPanicLayer::custom(answer_panic)),
    )
}

/// One layer of several steps, since each layer of its own clones all that is within it for each
/// request.
async fn pass(mut request: Request, next: Next) -> Response {
    let show_id = request_id::assign(&mut request);
    let trace = trace::begin(&mut request);
    let logged = async {
        let entry = access_log::begin(&request);
        let span = entry.span().clone();
        let mut response = next.run(request).instrument(span).await;
        set_headers(&mut response);
        entry.finish(response.status());
        response
    };
    let mut response = logged.instrument(trace.clone()).await;
    trace::note(&trace, response.status());
    show_id(&mut response);
    response
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
fn set_headers(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}

/// A bug of ours ends one request, not the server. The panic hook has logged where it was.
fn answer_panic(_: Box<dyn Any + Send>) -> Response {
    ApiError::Internal("a handler panicked".to_owned()).into_response()
}
