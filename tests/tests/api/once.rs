//! `Idempotency-Key`.

use std::{
    io::Write,
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use cellblock_tests::{Answer, Report, Server, Setup, matrix};
use serde_json::json;

use crate::expect;

const RANDOM: &str = "import os\ndef main(): return os.urandom(8).hex()";

matrix!(suite);

fn suite(setup: &Setup, report: &mut Report) {
    let setup = setup.clone().set("server", "idempotency_seconds", 3);
    let server = setup.set("server", "idempotency_bytes", 200_000).start();
    for path in ["/execute", "/v1/executions", "/v1/executions:batch"] {
        report.add(path, again(&server, path));
    }
    report.add("another body", another_body(&server));
    report.add("at the same time", at_the_same_time(&server));
    report.add("who asks first leaves", first_leaves(&server));
    report.add("failures of scripts", failures(&server));
    report.add("too large to keep", too_large(&server));
    report.add("not for streams", streams(&server));
    report.add("forgotten in time", forgotten(&server));
    server.stop(report);
}

fn post(server: &Server, path: &str, key: &str, script: &str) -> Answer {
    let item = json!({ "script": script });
    let body = match path {
        "/v1/executions:batch" => json!({ "executions": [item] }),
        _ => item,
    };
    let headers = [
        ("content-type", "application/json"),
        ("idempotency-key", key),
    ];
    server
        .client()
        .send("POST", path, &headers, body.to_string().as_bytes())
}

fn replayed(answer: &Answer) -> bool {
    answer.header("idempotency-replayed") == Some("true")
}

fn again(server: &Server, path: &str) -> Result<(), String> {
    let first = post(server, path, path, RANDOM);
    expect(first.status == 200 && !replayed(&first), first.shown())?;
    let second = post(server, path, path, RANDOM);
    expect(
        second.body == first.body && replayed(&second),
        second.shown(),
    )?;
    expect(
        second.header("content-type") == Some("application/json"),
        &second.headers,
    )?;
    expect(
        second.header("x-request-id") != first.header("x-request-id"),
        &second.headers,
    )?;
    let other = post(server, path, &format!("{path}2"), RANDOM);
    expect(other.body != first.body && !replayed(&other), other.shown())
}

fn another_body(server: &Server) -> Result<(), String> {
    post(server, "/execute", "body", RANDOM);
    for (path, script) in [
        ("/execute", "def main(): return 1"),
        ("/v1/executions", RANDOM),
    ] {
        let answer = post(server, path, "body", script);
        expect(
            answer.status == 400 && answer.error_type() == "invalid_request",
            answer.shown(),
        )?;
        expect(
            answer.text().contains("Idempotency-Key: was used"),
            answer.shown(),
        )?;
    }
    let answer = post(server, "/execute", &"k".repeat(256), RANDOM);
    expect(answer.error_type() == "invalid_request", answer.shown())
}

fn at_the_same_time(server: &Server) -> Result<(), String> {
    let script = "import os, time\ndef main():\n time.sleep(0.7)\n return os.urandom(8).hex()";
    let answers: Vec<_> = thread::scope(|scope| {
        let send = || post(server, "/execute", "together", script);
        let senders: Vec<_> = (0..5).map(|_| scope.spawn(send)).collect();
        senders
            .into_iter()
            .filter_map(|sender| sender.join().ok())
            .collect()
    });
    let same = answers.iter().all(|answer| answer.body == answers[0].body);
    let repeated = answers.iter().filter(|answer| replayed(answer)).count();
    expect(same && repeated == 4, answers)
}

/// A client that is gone has no answer, so that its retry, which waits already, runs the script.
fn first_leaves(server: &Server) -> Result<(), String> {
    let script = "import os, time\ndef main():\n time.sleep(1.5)\n return os.urandom(8).hex()";
    let body = json!({ "script": script }).to_string();
    let mut first = TcpStream::connect(server.client().address()).unwrap();
    let head = "POST /execute HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                Idempotency-Key: leaver\r\n";
    let length = body.len();
    write!(first, "{head}Content-Length: {length}\r\n\r\n{body}").unwrap();
    thread::sleep(Duration::from_millis(300));
    let retry = thread::scope(|scope| {
        let retry = scope.spawn(|| post(server, "/execute", "leaver", script));
        thread::sleep(Duration::from_millis(300));
        drop(first);
        retry.join().unwrap()
    });
    expect(retry.status == 200 && !replayed(&retry), retry.shown())?;
    let again = post(server, "/execute", "leaver", script);
    expect(again.body == retry.body && replayed(&again), again.shown())
}

fn failures(server: &Server) -> Result<(), String> {
    let script = "import os\ndef main(): raise ValueError(os.urandom(8).hex())";
    let first = post(server, "/execute", "failure", script);
    let second = post(server, "/execute", "failure", script);
    expect(first.status == 400 && second.status == 400, first.shown())?;
    expect(
        second.body == first.body && replayed(&second),
        second.shown(),
    )
}

fn too_large(server: &Server) -> Result<(), String> {
    let script = "def main(): return 'x' * 60000";
    let first = post(server, "/execute", "large", script);
    expect(
        first.status == 200 && first.body.len() > 60_000,
        first.status,
    )?;
    let second = post(server, "/execute", "large", script);
    expect(second.status == 400, second.status)?;
    expect(
        second.text().contains("too large to be kept"),
        second.shown(),
    )
}

fn streams(server: &Server) -> Result<(), String> {
    let headers = [
        ("content-type", "application/json"),
        ("accept", "text/event-stream"),
        ("idempotency-key", "stream"),
    ];
    let body = json!({ "script": RANDOM }).to_string();
    let answer = server
        .client()
        .send("POST", "/v1/executions", &headers, body.as_bytes());
    expect(answer.status == 400, answer.shown())
}

fn forgotten(server: &Server) -> Result<(), String> {
    let first = post(server, "/execute", "time", RANDOM);
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(20) {
        thread::sleep(Duration::from_millis(400));
        let next = post(server, "/execute", "time", RANDOM);
        if next.body != first.body {
            return expect(
                started.elapsed() >= Duration::from_secs(2),
                started.elapsed(),
            );
        }
    }
    Err("kept for ever".to_owned())
}
