//! `POST /v1/executions:batch`.

use std::{
    io::BufRead,
    time::{Duration, Instant},
};

use cellblock_tests::{Answer, Report, Server, Setup, eventually, matrix, named};
use serde_json::{Value, json};

use crate::{expect, new_name, sleeper, unrestricted, wire::open};

const PATH: &str = "/v1/executions:batch";

matrix!(suite);

fn suite(setup: &Setup, report: &mut Report) {
    let setup = unrestricted(setup).set("pool", "max_running", 3);
    let server = setup.set("server", "batch_items", 20).start();
    report.add("in the request's order", in_order(&server));
    report.add("in the order of finishing", as_they_finish(&server));
    report.add("a bad item is one bad item", bad_items(&server));
    report.add("refused as a whole", refused(&server));
    report.add("a disconnect", disconnect(&server));
    report.add("more than there are places", many(&server));
    server.stop(report);
}

fn item(script: &str) -> Value {
    json!({ "script": script })
}

fn sleeping(seconds: f64) -> Value {
    json!({ "script": "import time\ndef main(s):\n time.sleep(s)\n return s", "input": seconds })
}

fn post(server: &Server, items: &[Value]) -> Answer {
    let body = json!({ "executions": items }).to_string();
    server.client().post(PATH, body.as_bytes())
}

fn indices(items: &[Value]) -> Vec<u64> {
    items
        .iter()
        .filter_map(|item| item["index"].as_u64())
        .collect()
}

fn in_order(server: &Server) -> Result<(), String> {
    let answer = post(
        server,
        &[
            sleeping(0.6),
            sleeping(0.3),
            item("def main(): return 2**70"),
        ],
    );
    expect(answer.status == 200, answer.shown())?;
    let items = answer.json();
    let items = items.as_array().ok_or_else(|| answer.shown())?;
    expect(indices(items) == [0, 1, 2], items)?;
    expect(
        items.iter().all(|item| item["status"] == "succeeded"),
        items,
    )?;
    expect(
        items[0]["result"] == 0.6 && items[0]["usage"]["wall_ms"].is_f64(),
        items,
    )?;
    expect(
        answer.text().contains("\"result\":1180591620717411303424,"),
        answer.shown(),
    )
}

fn as_they_finish(server: &Server) -> Result<(), String> {
    let body = json!({ "executions": [sleeping(1.5), sleeping(0.7), sleeping(0.0)] });
    let accept = [("Accept", "application/x-ndjson")];
    let started = Instant::now();
    let reply = open(server.client().address(), PATH, &accept, &body.to_string());
    expect(
        reply.header("content-type") == "application/x-ndjson",
        reply.status,
    )?;
    let lines: Vec<_> = reply
        .body
        .lines()
        .map_while(Result::ok)
        .map(|line| (line, started.elapsed()))
        .collect();
    let items: Vec<Value> = lines
        .iter()
        .filter_map(|(line, _)| serde_json::from_str(line).ok())
        .collect();
    expect(indices(&items) == [2, 1, 0], &lines)?;
    expect(lines[0].1 + Duration::from_millis(500) < lines[2].1, &lines)
}

fn bad_items(server: &Server) -> Result<(), String> {
    let bad = [
        item("def main(): return 1"),
        json!({ "script": "" }),
        json!(7),
        json!({ "script": "def main(): 1 / 0" }),
        json!({ "script": "x", "environment": "nowhere" }),
    ];
    let answer = post(server, &bad);
    let items = answer.json();
    let kind = |index: usize| {
        items[index]["error"]["type"]
            .as_str()
            .unwrap_or("")
            .to_owned()
    };
    let kinds: Vec<_> = (0..5).map(kind).collect();
    let expected = [
        "",
        "invalid_request",
        "invalid_request",
        "exception",
        "invalid_request",
    ];
    expect(kinds == expected, answer.shown())?;
    let keys: Vec<_> = items[1]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, _)| key)
        .collect();
    expect(
        keys == ["error", "index", "status"] && items[1]["status"] == "failed",
        &items[1],
    )?;
    expect(
        items[3]["id"].is_string() && items[3]["stderr"] == "",
        &items[3],
    )
}

fn refused(server: &Server) -> Result<(), String> {
    let many: Vec<_> = (0..21).map(|_| item("def main(): pass")).collect();
    for (items, part) in [(&many[..], "21 items"), (&[], "0 items")] {
        let answer = post(server, items);
        expect(answer.error_type() == "invalid_request", answer.shown())?;
        expect(answer.text().contains(part), answer.shown())?;
    }
    for body in [
        "[]",
        "{}",
        r#"{"executions": {}}"#,
        r#"{"executions": [], "more": 1}"#,
        "",
    ] {
        let answer = server.client().post(PATH, body.as_bytes());
        expect(
            answer.status == 400 && answer.error_type() == "invalid_request",
            answer.shown(),
        )?;
    }
    let answer = server.client().get(PATH);
    expect(answer.status == 405, answer.shown())
}

fn disconnect(server: &Server) -> Result<(), String> {
    let name = new_name();
    let long = json!({ "script": sleeper(&name), "limits": { "timeout_ms": 60_000 } });
    let body = json!({ "executions": [long, long, long, long] });
    let stream = server.client().begin(PATH, &body.to_string());
    let running = || named(&name).len() >= 3;
    expect(
        eventually(Duration::from_secs(20), running),
        "they do not run",
    )?;
    drop(stream);
    let gone = || named(&name).is_empty();
    expect(eventually(Duration::from_secs(5), gone), "they still run")
}

fn many(server: &Server) -> Result<(), String> {
    let items: Vec<_> = (0..20).map(|_| item("def main(): return 1")).collect();
    let answer = post(server, &items).json();
    let items = answer.as_array().ok_or("no array")?;
    let good = items.iter().filter(|item| item["result"] == 1).count();
    expect(good == 20, items)
}
