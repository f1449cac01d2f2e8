//! Every path there is.

use axum::{
    Router,
    routing::{get, post},
};

use super::{Api, ApiError, environments, execute, executions, health, middleware};

/// The whole API, with its middleware.
pub fn router(api: Api) -> Router {
    let routes = Router::new()
        .route("/execute", post(execute::execute))
        .route("/v1/executions", post(executions::create))
        .route("/v1/environments", get(environments::list))
        .route("/health", get(health::health))
        .fallback(async || ApiError::NotFound)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .with_state(api);
    middleware::around(routes)
}
