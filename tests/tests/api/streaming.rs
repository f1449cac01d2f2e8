//! `Accept: text/event-stream`.

use std::time::Duration;

use cellblock_tests::{Report, Server, Setup, eventually, matrix, named, now_within};
use serde_json::{Value, json};

use crate::{
    events::{Event, listen, text},
    expect, new_name, sleeper, unrestricted,
};

matrix!(suite);

fn suite(setup: &Setup, report: &mut Report) {
    let server = unrestricted(setup)
        .set("server", "heartbeat_ms", 200)
        .set("limits", "stdout_bytes", 400_000)
        .set("pool", "max_running", 1)
        .set("pool", "queue_timeout_ms", 300)
        .start();
    report.add("as it is printed", as_it_is_printed(&server));
    report.add("split characters", split_characters(&server));
    report.add("the record is the usual one", record(&server));
    report.add("a failure", failure(&server));
    report.add("refused before it starts", refused(&server));
    report.add("a slow reader", slow_reader(&server));
    report.add("a disconnect", disconnect(&server));
    report.add("no room", no_room(&server));
    server.stop(report);
}

fn events(server: &Server, script: &str) -> Vec<Event> {
    listen(server, script, &json!({})).collect()
}

fn last(events: &[Event]) -> Result<&Value, String> {
    match events.last() {
        Some(event) if event.name == "result" => Ok(&event.data),
        other => Err(format!("the last event is {other:?}")),
    }
}

fn as_it_is_printed(server: &Server) -> Result<(), String> {
    let script = "import sys, time\ndef main():\n print('one', flush=True)\n time.sleep(1)\n \
        print('two', file=sys.stderr, flush=True)\n print('three')\n return 4";
    let mut stream = listen(server, script, &json!({}));
    let header = stream.reply.header("content-type").to_owned();
    expect(header == "text/event-stream", header)?;
    let events: Vec<_> = stream.by_ref().collect();
    expect(text(&events, "stdout") == "one\nthree\n", &events)?;
    expect(text(&events, "stderr") == "two\n", &events)?;
    let first = events.first().ok_or("no event")?;
    expect(
        first.at + Duration::from_millis(700) < events[events.len() - 1].at,
        &events,
    )?;
    expect(stream.heartbeats >= 2, stream.heartbeats)?;
    let record = last(&events)?;
    expect(
        record["result"] == 4 && record["stdout"] == "one\nthree\n",
        record,
    )
}

fn split_characters(server: &Server) -> Result<(), String> {
    let script = "import os, time\ndef main():\n for b in b'a\\xe2\\x82\\xac\\xff\\xe2':\n  \
        os.write(1, bytes([b]))\n  time.sleep(0.02)";
    let events = events(server, script);
    let told = text(&events, "stdout");
    expect(told == "a€\u{fffd}\u{fffd}", &events)?;
    expect(last(&events)?["stdout"] == told, &events)
}

fn record(server: &Server) -> Result<(), String> {
    let events = events(server, "def main(): return {'a': [1, None]}");
    let streamed = last(&events)?;
    let body = json!({ "script": "def main(): return {'a': [1, None]}" });
    let answer = server
        .client()
        .post("/v1/executions", body.to_string().as_bytes());
    let plain = answer.json();
    let keys = |value: &Value| -> Vec<String> {
        value
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, _)| key.clone())
            .collect()
    };
    expect(keys(streamed) == keys(&plain), streamed)?;
    expect(streamed["result"] == plain["result"], streamed)
}

fn failure(server: &Server) -> Result<(), String> {
    let events = events(server, "def main():\n print('x')\n return 1 / 0");
    let record = last(&events)?;
    expect(
        record["status"] == "failed" && record["error"]["line"] == 3,
        record,
    )
}

fn refused(server: &Server) -> Result<(), String> {
    let stream = listen(server, "", &json!({}));
    expect(stream.reply.status == 400, stream.reply.status)?;
    let body = stream.reply.text();
    expect(body.contains("invalid_request"), body)
}

/// It prints at once far more than the way to a reader who does not read holds; the run goes on,
/// the record is complete up to its limit, and the events say what they left out.
fn slow_reader(server: &Server) -> Result<(), String> {
    let script = "import os, time\ndef main():\n for n in range(1000):\n  \
        os.write(1, b'x' * 299 + b'\\n')\n  os.write(2, b'y' * 2999 + b'\\n')\n return 'done'";
    let mut stream = listen(server, script, &json!({}));
    std::thread::sleep(Duration::from_secs(3));
    let events: Vec<_> = stream.by_ref().collect();
    let record = last(&events)?;
    expect(record["result"] == "done", &record["error"])?;
    let wall = record["usage"]["wall_ms"].as_f64().unwrap_or(f64::MAX);
    expect(wall < 2900.0, wall)?;
    for name in ["stdout", "stderr"] {
        let skipped = events.iter().filter(|event| event.data["stream"] == name);
        let skipped: u64 = skipped
            .filter_map(|event| event.data["skipped_bytes"].as_u64())
            .sum();
        let kept = record[name].as_str().map_or(0, str::len) as u64;
        let told = text(&events, name).len() as u64;
        expect(
            told + skipped == kept && kept >= 300_000,
            (name, told, skipped, kept),
        )?;
    }
    Ok(())
}

fn disconnect(server: &Server) -> Result<(), String> {
    let name = new_name();
    let long = json!({ "timeout_ms": 60_000 });
    let mut stream = listen(server, &sleeper(&name), &long);
    let first = stream.next().ok_or("no event")?;
    expect(first.name == "stdout", &first)?;
    expect(!named(&name).is_empty(), "nobody has its name")?;
    drop(stream);
    let gone = || named(&name).is_empty();
    expect(eventually(Duration::from_secs(5), gone), "it still runs")?;
    let next = server
        .client()
        .post("/execute", br#"{"script": "def main(): return 1"}"#);
    expect(next.status == 200, next.shown())?;
    now_within(next.took, Duration::from_secs(5))
}

/// Its one place is taken: a proper 503, though a stream was asked for.
fn no_room(server: &Server) -> Result<(), String> {
    let script = "import time\ndef main():\n print('there', flush=True)\n time.sleep(3)";
    let mut first = listen(server, script, &json!({}));
    first.next().ok_or("no event")?;
    let second = listen(server, script, &json!({}));
    expect(second.reply.status == 503, second.reply.status)?;
    expect(second.reply.header("retry-after") == "1", "no Retry-After")?;
    drop(first);
    Ok(())
}
