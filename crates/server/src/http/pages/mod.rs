//! The two pages: a playground at `/`, and the API's description at `/docs`. Each is one document
//! with everything in it, so that they work without internet and may load nothing
//! but data that is in them, which is their icon.

use std::sync::LazyLock;

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("style.css");

/// A page with its policy: nothing is loaded from anywhere, and only its own script and style are in force.
struct Page {
    html: String,
    policy: String,
}

impl Page {
    fn new(html: &str, script: &str) -> Self {
        let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
        let policy = format!(
            "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; \
             img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            hash(script),
            hash(STYLE)
        );
        let html = html.replace("{style}", STYLE).replace("{script}", script);
        Self { html, policy }
    }

    fn response(&self) -> Response {
        let headers = [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CONTENT_SECURITY_POLICY, &self.policy),
            (header::REFERRER_POLICY, "no-referrer"),
        ];
        (headers, self.html.clone()).into_response()
    }
}

/// A page to try a script on.
pub(super) async fn playground() -> Response {
    static PAGE: LazyLock<Page> = LazyLock::new(|| {
        Page::new(
            include_str!("playground.html"),
            include_str!("playground.js"),
        )
    });
    PAGE.response()
}

/// A page that shows `/openapi.json`.
pub(super) async fn docs() -> Response {
    static PAGE: LazyLock<Page> =
        LazyLock::new(|| Page::new(include_str!("docs.html"), include_str!("docs.js")));
    PAGE.response()
}
