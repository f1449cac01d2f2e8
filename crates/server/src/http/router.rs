//! Every path there is.

use axum::{
    Router,
    middleware::from_fn_with_state,
    routing::{get, post},
};
use tower::util::MapResponseLayer;

use super::{
    Api, ApiError,
    access::{authenticate, charge},
    batch, cors, environments, execute, executions, health, metrics, middleware, openapi, pages,
};

/// The whole API, with its middleware.
pub fn router(api: Api) -> Router {
    let cors = cors::layer(&api.config.access);
    let runs = Router::new()
        .route("/execute", post(execute::execute))
        .route("/v1/executions", post(executions::create))
        .route_layer(from_fn_with_state(api.clone(), charge));
    let with_key = runs
        .route("/v1/executions:batch", post(batch::create))
        .route("/v1/environments", get(environments::list))
        .route("/metrics", get(metrics::metrics))
        .route_layer(from_fn_with_state(api.clone(), authenticate));
    let routes = with_key
        .route("/health", get(health::health))
        .route("/", get(pages::playground))
        .route("/docs", get(pages::docs))
        .route("/openapi.json", get(openapi::document))
        .fallback(async || ApiError::NotFound)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .layer(MapResponseLayer::new({
            let api = api.clone();
            move |response| metrics::count(&api, response)
        }))
        .with_state(api);
    middleware::around(match cors {
        Some(cors) => routes.layer(cors),
        None => routes,
    })
}
