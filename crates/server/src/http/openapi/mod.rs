//! `GET /openapi.json`: the API described in OpenAPI 3.1, made from the types that it uses.

mod either;
mod errors;
mod security;

use std::sync::OnceLock;

use axum::{http::StatusCode, response::Response};
use utoipa::OpenApi;

use self::{either::Either, errors::Errors, security::Security};
use super::{
    ApiError, batch, environments,
    error::{Body, json_text},
    execute::{self, Failed},
    executions, health, metrics,
};

/// The document, but for what the modifiers add.
#[derive(OpenApi)]
#[openapi(
    info(title = "Cellblock", description = include_str!("description.md")),
    servers((url = "/")),
    tags(
        (name = "Executions", description = "Running scripts."),
        (name = "Server", description = "What there is, and how it is."),
    ),
    paths(
        execute::execute,
        executions::create,
        batch::create,
        environments::list,
        health::health,
        metrics::metrics,
        document,
    ),
    components(schemas(Body, Failed)),
    modifiers(&Either, &Errors, &Security)
)]
struct Document;

/// The document, written once.
fn text() -> Result<&'static str, ApiError> {
    static TEXT: OnceLock<Result<String, String>> = OnceLock::new();
    let text = TEXT.get_or_init(|| {
        let document = Document::openapi();
        document.to_pretty_json().map_err(|error| error.to_string())
    });
    text.as_deref()
        .map_err(|error| ApiError::Internal(error.clone()))
}

/// This document
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "Server",
    operation_id = "openapi",
    security(()),
    responses((status = 200, description = "OpenAPI 3.1.", body = Object, content_type = "application/json"))
)]
pub(super) async fn document() -> Result<Response, ApiError> {
    Ok(json_text(StatusCode::OK, text()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::ErrorType;

    #[test]
    fn the_document_is_the_one_that_was_looked_at() {
        insta::assert_snapshot!("openapi", text().unwrap());
    }

    #[test]
    fn every_error_type_has_an_example() {
        for kind in ErrorType::ALL {
            let example = format!("\"type\": \"{}\"", kind.name());
            assert!(text().unwrap().contains(&example), "{kind:?}");
        }
    }
}
