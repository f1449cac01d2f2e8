//! The description, and the two pages.

use std::collections::BTreeSet;

use cellblock_tests::{Engine, Report, Server, Setup, each_python};
use serde_json::{Value, json};

use crate::expect;

/// Which engine runs the scripts makes no difference here.
#[test]
fn warm() {
    each_python(Engine::Warm, suite);
}

fn suite(setup: &Setup, report: &mut Report) {
    let server = setup.start();
    report.add("the document", document(&server));
    report.add("answers are as described", described(&server));
    for path in ["/", "/docs"] {
        report.add(path, page(&server, path));
    }
    server.stop(report);
}

fn openapi(server: &Server) -> Value {
    server.client().get("/openapi.json").json()
}

fn document(server: &Server) -> Result<(), String> {
    let api = openapi(server);
    expect(api["openapi"] == "3.1.0", &api["openapi"])?;
    let paths: BTreeSet<_> = api["paths"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(path, _)| path.as_str())
        .collect();
    for path in [
        "/execute",
        "/v1/executions",
        "/v1/environments",
        "/health",
        "/metrics",
    ] {
        expect(paths.contains(path), &paths)?;
    }
    let types = &api["components"]["schemas"]["ErrorType"];
    expect(types.to_string().contains("restricted_import"), types)
}

/// Every field of a record and of an error is described, and the other way round.
fn described(server: &Server) -> Result<(), String> {
    let api = openapi(server);
    let body = json!({ "script": "def main(): return 1" }).to_string();
    let record = server
        .client()
        .post("/v1/executions", body.as_bytes())
        .json();
    for (name, value) in [("Record", &record), ("Usage", &record["usage"])] {
        let described = &api["components"]["schemas"][name]["properties"];
        let keys = |value: &Value| -> BTreeSet<String> {
            value
                .as_object()
                .into_iter()
                .flatten()
                .map(|(key, _)| key.clone())
                .collect()
        };
        expect(keys(described) == keys(value), (name, keys(described)))?;
    }
    Ok(())
}

fn page(server: &Server, path: &str) -> Result<(), String> {
    let answer = server.client().get(path);
    expect(answer.status == 200, answer.shown())?;
    let policy = answer.header("content-security-policy").unwrap_or("");
    expect(
        policy.starts_with("default-src 'none'; script-src 'sha256-"),
        policy,
    )?;
    let html = answer.text();
    let foreign = [
        "http://", "https://", "src=", "@import", "{script}", "{style}", " onclick",
    ];
    let found = foreign.iter().find(|part| {
        html.split("</style>")
            .nth(1)
            .unwrap_or("")
            .split("<script>")
            .next()
            .unwrap_or("")
            .contains(**part)
    });
    expect(found.is_none(), found)?;
    expect(!html.contains("://"), "an address")
}
