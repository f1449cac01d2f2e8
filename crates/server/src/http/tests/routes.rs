//! What the router answers where no engine is needed.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
    routing::get,
};
use http_body_util::{BodyExt, Full};
use proptest::prelude::*;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{
    config::ConfigArgs,
    engine::Engine,
    http::{Api, ApiError, middleware, router},
};

/// An API whose largest body is 1024 bytes.
fn api() -> Api {
    api_at("127.0.0.1:1")
}

fn api_at(address: &str) -> Api {
    let variables = |name: &str| (name == "CELLBLOCK_BODY_BYTES").then(|| "1024".into());
    let config = ConfigArgs::default().load_with(&variables, "/nonexistent".as_ref());
    let address = address.parse().unwrap();
    Api::new(Arc::new(Engine::idle()), config.unwrap(), address)
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    fn kind(&self) -> (u16, &str) {
        let kind = self.body["error"]["type"].as_str().unwrap_or("");
        (self.status.as_u16(), kind)
    }

    fn message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap()
    }
}

async fn send_to(router: Router, request: Request<Body>) -> Answer {
    let (head, body) = router.oneshot(request).await.unwrap().into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    Answer {
        status: head.status,
        headers: head.headers,
        body: serde_json::from_slice(&body).unwrap(),
    }
}

async fn send(method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send_to(router(api()), request.body(body.into()).unwrap()).await
}

async fn post(body: impl Into<Body>) -> Answer {
    let json = [("content-type", "application/json")];
    send("POST", "/execute", &json, body).await
}

#[tokio::test]
async fn unknown_paths_and_methods() {
    let answer = send("GET", "/nowhere", &[], "").await;
    assert_eq!(answer.kind(), (404, "not_found"));
    for (method, path, allow) in [
        ("GET", "/execute", "POST"),
        ("PUT", "/v1/executions", "POST"),
        ("POST", "/health", "GET,HEAD"),
        ("DELETE", "/v1/environments", "GET,HEAD"),
    ] {
        let answer = send(method, path, &[], "").await;
        assert_eq!(answer.kind(), (405, "method_not_allowed"), "{path}");
        assert_eq!(answer.headers["allow"], allow, "{path}");
    }
}

#[tokio::test]
async fn only_json_is_taken() {
    let bad = [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("application/jsonx"),
        Some(""),
    ];
    for content_type in bad {
        let headers: Vec<_> = content_type
            .map(|t| ("content-type", t))
            .into_iter()
            .collect();
        let answer = send("POST", "/execute", &headers, "{}").await;
        assert_eq!(
            answer.kind(),
            (415, "unsupported_media_type"),
            "{content_type:?}"
        );
    }
    let gzip = [
        ("content-type", "application/json"),
        ("content-encoding", "gzip"),
    ];
    let answer = send("POST", "/execute", &gzip, "{}").await;
    assert_eq!(answer.kind(), (415, "unsupported_media_type"));
    for good in [
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/vnd.x+json",
    ] {
        let answer = send("POST", "/execute", &[("content-type", good)], "{}").await;
        assert_eq!(answer.kind(), (400, "invalid_request"), "{good}");
    }
}

#[tokio::test]
async fn bodies_above_the_limit_are_refused() {
    let refused = (413, "payload_too_large");
    let answer = post(" ".repeat(1025)).await;
    assert_eq!(answer.kind(), refused);
    assert_eq!(
        answer.message(),
        "the body is above this server's maximum of 1024 bytes"
    );
    let unknown_length = Full::from(" ".repeat(1025)).map_frame(|frame| frame);
    assert_eq!(post(Body::new(unknown_length)).await.kind(), refused);
    assert_eq!(
        post(" ".repeat(1024)).await.kind(),
        (400, "invalid_request")
    );
}

#[tokio::test]
async fn bad_bodies_name_the_field() {
    for path in ["/execute", "/v1/executions"] {
        let json = [("content-type", "application/json")];
        let body = r#"{"script": "x", "limits": {"timeout_ms": 90000}}"#;
        let answer = send("POST", path, &json, body).await;
        assert_eq!(answer.kind(), (400, "invalid_request"));
        assert_eq!(
            answer.body,
            json!({"error": {
                "type": "invalid_request",
                "message": "limits.timeout_ms: 90000 is above this server's maximum of 60000",
            }})
        );
    }
}

#[tokio::test]
async fn a_failure_of_ours_shows_no_internals() {
    let broken = get(async || ApiError::Internal("the engine broke".to_owned()));
    let router = middleware::around(Router::new().route("/", broken));
    let answer = send_to(router, Request::new(Body::empty())).await;
    assert_eq!(answer.kind(), (500, "internal"));
    assert!(!answer.message().contains("engine"));
    assert!(answer.headers.contains_key("x-request-id"));
}

#[tokio::test]
async fn an_open_door_to_strangers_is_said_to_be_one() {
    let health = async |address: &str| {
        let request = Request::get("/health").body(Body::empty()).unwrap();
        send_to(router(api_at(address)), request).await.body
    };
    assert_eq!(health("127.0.0.1:1").await.get("warnings"), None);
    let warnings = &health("0.0.0.0:1").await["warnings"];
    assert!(warnings[0].as_str().unwrap().contains("needs no key"));
}

#[tokio::test]
async fn a_panic_is_a_500_with_the_usual_headers() {
    let routes = Router::new().route("/panic", get(async || -> () { panic!("secret") }));
    let request = Request::get("/panic").body(Body::empty()).unwrap();
    let answer = send_to(middleware::around(routes), request).await;
    assert_eq!(answer.kind(), (500, "internal"));
    assert!(!answer.message().contains("secret"));
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
}

#[tokio::test]
async fn request_ids_are_kept_if_sane_and_made_if_not() {
    let id = async |sent: &str| {
        let answer = send("GET", "/health", &[("x-request-id", sent)], "").await;
        answer.headers["x-request-id"].to_str().unwrap().to_owned()
    };
    assert_eq!(id("abc-1.2_3:4").await, "abc-1.2_3:4");
    for bad in ["", "a b", "a\tb", "\u{e9}", &"x".repeat(129)] {
        let made = id(bad).await;
        assert_eq!(made.len(), 36, "{bad:?} gave {made}");
    }
}

#[tokio::test]
async fn answers_are_not_to_be_sniffed_or_cached() {
    for path in ["/health", "/nowhere", "/v1/environments"] {
        let headers = send("GET", path, &[], "").await.headers;
        assert_eq!(headers["content-type"], "application/json", "{path}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["cache-control"], "no-store", "{path}");
    }
}

#[tokio::test]
async fn a_draining_server_says_so() {
    let api = api();
    let health = || Request::get("/health").body(Body::empty()).unwrap();
    let starting = send_to(router(api.clone()), health()).await;
    assert_eq!(starting.status, 503);
    assert_eq!(starting.body["status"], "starting");
    api.drain();
    let draining = send_to(router(api.clone()), health()).await;
    assert_eq!(draining.status, 503);
    assert_eq!(draining.body["status"], "draining");
    let request = Request::post("/execute")
        .header("content-type", "application/json")
        .body(Body::from(r#"{"script": "def main(): pass"}"#));
    let refused = send_to(router(api), request.unwrap()).await;
    assert_eq!(refused.kind(), (503, "overloaded"));
    assert_eq!(refused.headers["retry-after"], "5");
}

#[tokio::test]
async fn environments_are_listed_with_what_a_request_may_set() {
    let answer = send("GET", "/v1/environments", &[], "").await;
    assert_eq!(answer.status, 200);
    let default = &answer.body["environments"][0];
    assert_eq!(default["name"], "default");
    assert_eq!(default["preload"], json!(["numpy", "pandas"]));
    assert_eq!(
        default["limits"]["timeout_ms"],
        json!({"default": 10_000, "maximum": 60_000})
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_body_makes_the_server_fail(bytes in proptest::collection::vec(any::<u8>(), 0..1500)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer = runtime.block_on(post(bytes));
        prop_assert!(answer.status.is_client_error(), "{}", answer.status);
    }
}
