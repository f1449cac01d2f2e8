//! Compression and origins.

use std::io::Read;

use cellblock_tests::{Answer, Report, Server, Setup, matrix};
use serde_json::json;

use crate::{expect, wire::open};

const LARGE: &str = "def main(): return 'x' * 100000";

matrix!(suite);

fn suite(setup: &Setup, report: &mut Report) {
    let server = setup.start();
    report.add("compressed where asked for", compressed(&server));
    report.add("a compressed batch", compressed_batch(&server));
    report.add(
        "no other origin",
        origin(&server, "https://app.example", None),
    );
    server.stop(report);
    let origins = "\"https://app.example, http://localhost:3000\"";
    let server = setup.clone().set("access", "cors_origins", origins).start();
    let app = "https://app.example";
    report.add("an origin", origin(&server, app, Some(app)));
    report.add("another", origin(&server, "https://evil.example", None));
    report.add("preflight", preflight(&server));
    server.stop(report);
}

fn compressed(server: &Server) -> Result<(), String> {
    let send = |accept: &str, script: &str| {
        let headers = [("Accept-Encoding", accept)];
        let body = json!({ "script": script }).to_string();
        let mut reply = open(server.client().address(), "/execute", &headers, &body);
        let mut bytes = Vec::new();
        reply.body.read_to_end(&mut bytes).unwrap();
        (reply.header("content-encoding").to_owned(), bytes)
    };
    for (accept, encoding) in [("gzip", "gzip"), ("br", "br"), ("gzip, br;q=0.5", "gzip")] {
        let (found, bytes) = send(accept, LARGE);
        expect(
            found == encoding && bytes.len() < 2000,
            (accept, found, bytes.len()),
        )?;
    }
    for (accept, script) in [
        ("identity", LARGE),
        ("zstd", LARGE),
        ("gzip", "def main(): return 1"),
    ] {
        let (found, _) = send(accept, script);
        expect(found.is_empty(), (accept, found))?;
    }
    Ok(())
}

/// It is compressed while it is made.
fn compressed_batch(server: &Server) -> Result<(), String> {
    let item = json!({ "script": LARGE });
    let body = json!({ "executions": [item, item] }).to_string();
    let headers = [("Accept-Encoding", "gzip")];
    let mut reply = open(
        server.client().address(),
        "/v1/executions:batch",
        &headers,
        &body,
    );
    let mut bytes = Vec::new();
    let read = reply.body.read_to_end(&mut bytes);
    expect(
        reply.header("content-encoding") == "gzip" && read.is_ok(),
        &reply.headers,
    )?;
    // The last four bytes of gzip are the length of what was compressed, RFC 1952.
    let length = bytes
        .last_chunk()
        .map_or(0, |length| u32::from_le_bytes(*length));
    expect((200_000..210_000).contains(&length), (length, bytes.len()))
}

fn allowed(answer: &Answer) -> Option<&str> {
    answer.header("access-control-allow-origin")
}

fn origin(server: &Server, origin: &str, expected: Option<&str>) -> Result<(), String> {
    let answer = server
        .client()
        .send("GET", "/health", &[("origin", origin)], b"");
    expect(
        answer.status == 200 && allowed(&answer) == expected,
        &answer.headers,
    )
}

fn preflight(server: &Server) -> Result<(), String> {
    let headers = [
        ("origin", "http://localhost:3000"),
        ("access-control-request-method", "POST"),
        (
            "access-control-request-headers",
            "content-type,authorization",
        ),
    ];
    let answer = server
        .client()
        .send("OPTIONS", "/v1/executions", &headers, b"");
    expect(answer.status == 200, answer.shown())?;
    expect(
        allowed(&answer) == Some("http://localhost:3000"),
        &answer.headers,
    )?;
    let methods = answer.header("access-control-allow-methods").unwrap_or("");
    expect(methods.contains("POST"), methods)
}
