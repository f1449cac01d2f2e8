//! Keys, their rates, and their ceilings.

use std::{fs, path::Path, time::Duration};

use cellblock_tests::{Answer, Program, Report, Server, Setup, eventually, matrix};
use serde_json::{Value, json};

use crate::{expect, wire::open};

const ONE: &str = r#"{"script": "def main(): return 1"}"#;

matrix!(suite);

fn suite(setup: &Setup, report: &mut Report) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("keys.toml");
    let limited = "rate_per_minute = 6\nburst = 3\n";
    let narrow = "concurrency = 1\nmax_timeout_ms = 5000\nenvironments = [\"default\"]\n";
    let keys = [
        ("limited", limited),
        ("narrow", narrow),
        ("counted", limited),
        ("free", ""),
    ];
    let keys = keys.map(|(name, rules)| make(&file, name, rules));
    let path = json!(file).to_string();
    let bare = setup.clone();
    let setup = setup.clone().with_plain().set("access", "keys_file", path);
    let server = setup.start();
    let [limited, narrow, counted, free] = &keys;
    report.add("no key", no_key(&server));
    report.add("both headers", both_headers(&server, free));
    report.add("a rate", rate(&server, limited));
    report.add("a batch", batch(&server, counted));
    report.add("a place", places(&server, narrow));
    report.add("ceilings", ceilings(&server, narrow));
    let log = server.log();
    let told = keys.iter().any(|key| log.contains(key.as_str()));
    report.check("keys are not logged", !told, "one is");
    let named = log.contains("\"key\":\"limited\"");
    report.check("names of keys are", named, &log);
    server.stop(report);
    let text = fs::read_to_string(&file).unwrap();
    let public = public(&bare, &text, free, report);
    report.add("to the world", public);
}

/// Makes a key as an operator would, and gives it.
pub(crate) fn make(file: &Path, name: &str, rules: &str) -> String {
    let made = Program::find().run(&["key", "new", name], Path::new("/"), "");
    let all = fs::read_to_string(file).unwrap_or_default();
    fs::write(file, format!("{all}{}{rules}", made.stdout)).unwrap();
    let key = made.stderr.trim().rsplit(' ').next().unwrap();
    assert!(key.len() > 40 && !made.stdout.contains(key), "{made:?}");
    key.to_owned()
}

pub(crate) fn post(server: &Server, key: &str, body: &str) -> Answer {
    let headers = [("content-type", "application/json"), ("x-api-key", key)];
    server
        .client()
        .send("POST", "/execute", &headers, body.as_bytes())
}

fn refused(answer: &Answer, status: u16, kind: &str) -> Result<(), String> {
    expect(
        answer.status == status && answer.error_type() == kind,
        answer.shown(),
    )
}

fn no_key(server: &Server) -> Result<(), String> {
    for path in ["/execute", "/v1/executions"] {
        let answer = server.client().post(path, ONE.as_bytes());
        refused(&answer, 401, "unauthorized")?;
        let scheme = answer.header("www-authenticate");
        expect(scheme == Some("Bearer realm=\"cellblock\""), scheme)?;
    }
    refused(
        &server.client().get("/v1/environments"),
        401,
        "unauthorized",
    )?;
    refused(&post(server, "wrong", ONE), 401, "unauthorized")?;
    let large = post(server, "wrong", &" ".repeat(8 << 20));
    refused(&large, 401, "unauthorized")?;
    let health = server.client().get("/health");
    expect(health.status == 200, health.shown())
}

fn both_headers(server: &Server, key: &str) -> Result<(), String> {
    let answer = post(server, key, ONE);
    expect(answer.status == 200, answer.shown())?;
    expect(answer.header("ratelimit").is_none(), &answer.headers)?;
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", bearer.as_str())];
    let answer = server
        .client()
        .send("GET", "/v1/environments", &headers, b"");
    expect(answer.status == 200, answer.shown())
}

fn rate(server: &Server, key: &str) -> Result<(), String> {
    for left in ["2", "1", "0"] {
        let answer = post(server, key, ONE);
        expect(answer.status == 200, answer.shown())?;
        let limit = answer.header("ratelimit").unwrap_or("");
        expect(
            limit.starts_with(&format!("\"executions\";r={left};t=")),
            limit,
        )?;
        let policy = answer.header("ratelimit-policy");
        expect(policy == Some("\"executions\";q=3;w=30"), policy)?;
    }
    let answer = post(server, key, ONE);
    refused(&answer, 429, "rate_limited")?;
    let wait: u64 = answer
        .header("retry-after")
        .unwrap_or("")
        .parse()
        .unwrap_or(0);
    expect((1..=10).contains(&wait), wait)
}

/// Each item counts as one.
fn batch(server: &Server, key: &str) -> Result<(), String> {
    let one: Value = serde_json::from_str(ONE).unwrap();
    let body = json!({ "executions": vec![one; 5] }).to_string();
    let headers = [("content-type", "application/json"), ("x-api-key", key)];
    let path = "/v1/executions:batch";
    let answer = server
        .client()
        .send("POST", path, &headers, body.as_bytes());
    expect(answer.status == 200, answer.shown())?;
    let items = answer.json();
    let items = items.as_array().into_iter().flatten();
    let kinds: Vec<_> = items
        .map(|item| item["error"]["type"].as_str().unwrap_or("none"))
        .map(ToOwned::to_owned)
        .collect();
    let count = |kind: &str| kinds.iter().filter(|found| *found == kind).count();
    expect(count("none") == 3 && count("rate_limited") == 2, &kinds)
}

/// On an address that others reach, the operator is warned, unless there are keys.
fn public(setup: &Setup, keys: &str, key: &str, report: &mut Report) -> Result<(), String> {
    let setup = setup.clone().set("server", "host", "\"0.0.0.0\"");
    let warned = |server: &Server| {
        let health = server.client().get("/health").text();
        let found = [health, server.log()].map(|text| text.contains("needs no key"));
        (found[0], found[1])
    };
    let open = setup.start();
    let found = warned(&open);
    open.stop(report);
    expect(found == (true, true), found)?;
    let closed = setup.variable("CELLBLOCK_KEYS", keys).start();
    let (found, refused) = (
        warned(&closed),
        closed.client().post("/execute", ONE.as_bytes()),
    );
    let answer = post(&closed, key, ONE);
    closed.stop(report);
    expect(found == (false, false), found)?;
    expect(
        refused.status == 401 && answer.status == 200,
        answer.shown(),
    )
}

fn places(server: &Server, key: &str) -> Result<(), String> {
    let script = json!({ "script": "import time\ndef main():\n print('there', flush=True)\n time.sleep(4)" });
    let headers = [("X-API-Key", key), ("Accept", "text/event-stream")];
    let running = open(
        server.client().address(),
        "/v1/executions",
        &headers,
        &script.to_string(),
    );
    expect(running.status == 200, running.status)?;
    let answer = post(server, key, ONE);
    refused(&answer, 429, "rate_limited")?;
    expect(answer.header("retry-after") == Some("1"), &answer.headers)?;
    drop(running);
    let free = || post(server, key, ONE).status == 200;
    expect(
        eventually(Duration::from_secs(3), free),
        "its place stays taken",
    )
}

fn ceilings(server: &Server, key: &str) -> Result<(), String> {
    let with = |field: &str, value: Value| {
        let mut body = json!({ "script": "def main(): return 1" });
        body[field] = value;
        post(server, key, &body.to_string())
    };
    let answer = with("limits", json!({ "timeout_ms": 5001 }));
    refused(&answer, 400, "invalid_request")?;
    let answer = with("limits", json!({ "timeout_ms": 5000 }));
    expect(answer.status == 200, answer.shown())?;
    refused(&with("environment", json!("plain")), 403, "forbidden")
}
