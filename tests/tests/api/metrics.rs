//! `GET /metrics`.

use std::time::Duration;

use cellblock_tests::{Report, Server, Setup, eventually, matrix};
use serde_json::json;

use crate::{events::listen, expect};

matrix!(suite);

fn suite(setup: &Setup, report: &mut Report) {
    let server = setup.clone().set("pool", "max_running", 3).start();
    report.add("what is counted", counted(&server));
    report.add("what runs", running(&server));
    server.stop(report);
}

/// The value of a line that begins so.
fn value(server: &Server, line: &str) -> f64 {
    let text = server.client().get("/metrics").text();
    let found = text.lines().find_map(|text| text.strip_prefix(line));
    found
        .and_then(|value| value.trim().parse().ok())
        .unwrap_or(-1.0)
}

fn counted(server: &Server) -> Result<(), String> {
    for script in [
        "def main(): return 1",
        "def main(): return 1",
        "def main(): 1 / 0",
        "",
    ] {
        server.client().post(
            "/execute",
            json!({ "script": script }).to_string().as_bytes(),
        );
    }
    server.client().get("/nowhere/in/particular");
    for (line, expected) in [
        (
            "cellblock_runs_total{environment=\"default\",outcome=\"succeeded\"}",
            2.0,
        ),
        (
            "cellblock_runs_total{environment=\"default\",outcome=\"exception\"}",
            1.0,
        ),
        (
            "cellblock_rejected_requests_total{reason=\"invalid_request\"}",
            1.0,
        ),
        (
            "cellblock_rejected_requests_total{reason=\"not_found\"}",
            1.0,
        ),
        (
            "cellblock_phase_seconds_count{environment=\"default\",phase=\"run\"}",
            3.0,
        ),
        (
            "cellblock_phase_seconds_count{environment=\"default\",phase=\"queue\"}",
            3.0,
        ),
        (
            "cellblock_phase_seconds_count{environment=\"default\",phase=\"total\"}",
            3.0,
        ),
        (
            "cellblock_zygote_restarts_total{environment=\"default\"}",
            0.0,
        ),
        ("cellblock_places", 3.0),
        ("cellblock_waiting", 0.0),
        ("cellblock_build_info{version=\"0.1.0\"}", 1.0),
    ] {
        let found = value(server, line);
        expect(found.total_cmp(&expected).is_eq(), (line, found))?;
    }
    let answer = server.client().get("/metrics");
    let kind = answer.header("content-type").unwrap_or("");
    expect(kind.starts_with("application/openmetrics-text"), kind)?;
    expect(answer.text().ends_with("# EOF\n"), answer.shown())
}

fn running(server: &Server) -> Result<(), String> {
    let script = "import time\ndef main():\n print('there', flush=True)\n time.sleep(9)";
    let mut stream = listen(server, script, &json!({}));
    stream.next().ok_or("no event")?;
    let running = value(server, "cellblock_running");
    expect(running >= 1.0, running)?;
    drop(stream);
    let abandoned = "cellblock_runs_total{environment=\"default\",outcome=\"abandoned\"}";
    let counted = || value(server, abandoned) > 0.0 && value(server, "cellblock_running") < 1.0;
    expect(
        eventually(Duration::from_secs(5), counted),
        value(server, abandoned),
    )
}
