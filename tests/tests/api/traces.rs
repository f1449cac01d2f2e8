//! `traceparent`.

use std::time::Duration;

use cellblock_tests::{Report, Server, Setup, eventually, matrix};
use serde_json::{Value, json};

use crate::expect;

matrix!(suite);

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

fn suite(setup: &Setup, report: &mut Report) {
    let server = setup.start();
    report.add("in the log", logged(&server));
    server.stop(report);
}

fn traceparent() -> String {
    format!("00-{TRACE}-{PARENT}-01")
}

/// Sends a request with these values of the header.
fn send(server: &Server, id: &str, values: &[&str]) -> Result<(), String> {
    let body = json!({ "script": "def main(): return 1" }).to_string();
    let mut headers = vec![("content-type", "application/json"), ("x-request-id", id)];
    headers.extend(values.iter().map(|value| ("traceparent", *value)));
    let client = server.client();
    let answer = client.send("POST", "/execute", &headers, body.as_bytes());
    expect(answer.status == 200, answer.shown())
}

/// The trace that the log names with this request.
fn trace_of(server: &Server, id: &str) -> Option<Value> {
    let log = server.log();
    let lines = log.lines().rev();
    let mut lines = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let line = lines.find(|line| line["span"]["id"] == id && line["message"] == "answered")?;
    Some(line["span"]["trace"].clone())
}

/// What is no `traceparent` is as good as none.
fn logged(server: &Server) -> Result<(), String> {
    let good = traceparent();
    let later = good.replacen("00-", "01-", 1) + "-more";
    let (upper, void) = (good.to_uppercase(), good.replace(TRACE, &"0".repeat(32)));
    let cases: [(&str, &[&str], Value); 7] = [
        ("good", &[&good], json!(TRACE)),
        ("later", &[&later], json!(TRACE)),
        ("none", &[], Value::Null),
        ("upper", &[&upper], Value::Null),
        ("void", &[&void], Value::Null),
        ("twice", &[&good, &good], Value::Null),
        ("longer", &[&(good.clone() + "-00")], Value::Null),
    ];
    for (id, values, expected) in cases {
        send(server, id, values)?;
        let found = || trace_of(server, id);
        // The line is written after the answer.
        eventually(Duration::from_secs(5), || found().is_some());
        expect(found() == Some(expected), (id, found()))?;
    }
    Ok(())
}
