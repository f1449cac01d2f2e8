//! `GET /metrics`.

use std::{collections::BTreeSet, time::Duration};

use cellblock_tests::{Engine, Report, Server, Setup, eventually, matrix};
use serde_json::{Value, json};

use crate::{events::listen, expect};

matrix!(suite);

fn suite(setup: &Setup, report: &mut Report) {
    let server = setup.clone().set("pool", "max_running", 3).start();
    report.add("what is counted", counted(&server));
    report.add("the parts make the whole", parts(&server));
    report.add("what runs", running(&server));
    report.add("making cells", refill(&server, setup.engine()));
    if setup.engine() == Engine::Warm {
        report.add("the dashboard", dashboard(&server));
        report.add("the guide", guide(&server));
    }
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
    for phase in ["queue", "start", "run", "collect", "total"] {
        let line =
            format!("cellblock_phase_seconds_count{{environment=\"default\",phase=\"{phase}\"}}");
        let found = value(server, &line);
        expect(found.total_cmp(&3.0).is_eq(), (line, found))?;
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

/// The phases follow one another, so that together they are no longer than all of it.
fn parts(server: &Server) -> Result<(), String> {
    let sum = |phase: &str| {
        let labels = format!("environment=\"default\",phase=\"{phase}\"");
        value(server, &format!("cellblock_phase_seconds_sum{{{labels}}}"))
    };
    let parts = ["queue", "start", "run", "collect"].map(sum);
    let total = sum("total");
    let whole: f64 = parts.iter().sum();
    expect(parts.iter().all(|part| *part >= 0.0), parts)?;
    expect(whole > 0.0 && whole <= total, (parts, total))
}

/// Only who has a stock refills it.
fn refill(server: &Server, engine: Engine) -> Result<(), String> {
    let line = "cellblock_refill_seconds_count{environment=\"default\"}";
    let found = value(server, line);
    expect((found >= 3.0) == (engine == Engine::Warm), found)
}

/// The names in a text that metrics of ours could have.
fn names(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words
        .filter(|word| word.starts_with("cellblock_"))
        .collect()
}

/// The dashboard asks for nothing that is not there.
fn dashboard(server: &Server) -> Result<(), String> {
    let board = include_str!("../../../deploy/grafana/cellblock.json");
    let board: Value = serde_json::from_str(board).map_err(|error| error.to_string())?;
    let text = server.client().get("/metrics").text();
    let there: BTreeSet<_> = text
        .lines()
        .filter_map(|line| line.split(['{', ' ']).next())
        .collect();
    let targets = board["panels"].as_array().into_iter().flatten();
    let targets = targets.flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let asked: Vec<_> = targets.map(|target| target["expr"].as_str()).collect();
    expect(asked.len() > 10, asked.len())?;
    let variable = board["templating"]["list"][1]["query"]["query"].as_str();
    for query in asked.into_iter().chain([variable]) {
        let query = query.ok_or("a query that is no text")?;
        let named = names(query);
        expect(!named.is_empty() && named.is_subset(&there), query)?;
        if let Some((_, phase)) = query.split_once("phase=\"") {
            let phase = phase.split('"').next().unwrap_or_default();
            expect(text.contains(&format!("phase=\"{phase}\"")), query)?;
        }
    }
    Ok(())
}

/// The guide lists what is there, by the names that Prometheus keeps it under.
fn guide(server: &Server) -> Result<(), String> {
    let guide = include_str!("../../../docs/api.md");
    let rows = guide
        .lines()
        .filter(|line| line.starts_with("| `cellblock_"));
    let rows: Vec<_> = rows.collect();
    let listed: BTreeSet<_> = rows.iter().flat_map(|row| names(row)).collect();
    let text = server.client().get("/metrics").text();
    let kinds = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let there: BTreeSet<_> = kinds
        .filter_map(|line| line.split_once(' '))
        .map(|(name, kind)| match kind {
            "counter" => format!("{name}_total"),
            "info" => format!("{name}_info"),
            _ => name.to_owned(),
        })
        .collect();
    let there: BTreeSet<_> = there.iter().map(String::as_str).collect();
    expect(listed == there, (&listed, &there))
}
