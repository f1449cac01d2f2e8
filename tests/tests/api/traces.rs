//! `traceparent`, and traces that are sent to a collector.

use std::time::Duration;

use cellblock_tests::{Report, Server, Setup, eventually, matrix, quoted};
use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::{
    collector::{Collector, attribute},
    expect,
};

matrix!(suite);

/// All but the flags of another trace.
const OTHER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-";
const SECRET: &str = "def main():\n    print('SECRET')\n    raise ValueError('SECRET')";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

fn suite(setup: &Setup, report: &mut Report) {
    let server = setup.start();
    report.add("in the log", logged(&server));
    server.stop(report);
    sent(setup, report);
    nobody_listens(setup, report);
}

/// What a server sends, which sends the last of it when it is stopped.
fn sent(setup: &Setup, report: &mut Report) {
    let collector = Collector::start();
    let setup = setup
        .clone()
        .set("telemetry", "otlp_endpoint", quoted(&collector.url()));
    let server = setup.start();
    let (sampled, unsampled) = (traceparent(), OTHER.to_owned() + "00");
    for (id, values) in [
        ("child", Some(&*sampled)),
        ("not", Some(&*unsampled)),
        ("root", None),
    ] {
        report.add(id, send(&server, id, values.as_slice()));
    }
    let body = json!({ "executions": [{ "script": SECRET }, { "script": SECRET }] });
    let headers = [
        ("content-type", "application/json"),
        ("traceparent", &*(OTHER.to_owned() + "01")),
    ];
    let client = server.client();
    let batch = body.to_string();
    let answer = client.send("POST", "/v1/executions:batch", &headers, batch.as_bytes());
    report.check(
        "a batch",
        answer.text().contains("ValueError"),
        answer.shown(),
    );
    let root = trace_of(&server, "root");
    server.stop(report);
    let spans = collector.spans();
    report.add("a child of its caller", child(&spans));
    report.add("a batch", batched(&spans));
    let named = |span: &Span| root == Some(json!(hex(&span.trace_id)));
    let roots: Vec<_> = spans.iter().filter(|span| named(span)).collect();
    let whole = roots.len() == 6 && roots.iter().any(|span| span.parent_span_id.is_empty());
    report.check("a trace of its own", whole, format!("{root:?} {spans:?}"));
    let of_not =
        |span: &Span| attribute(span, "cellblock.request_id").is_some_and(|id| id == "not");
    report.check(
        "its caller's choice",
        !spans.iter().any(of_not),
        collector.shown(),
    );
    let told = collector.shown().contains("SECRET");
    report.check("no script is told", !told, collector.shown());
}

/// A request and its execution, and that one's phases in their order, each within its parent.
fn child(spans: &[Span]) -> Result<(), String> {
    let of_trace = spans.iter().filter(|span| hex(&span.trace_id) == TRACE);
    let mut of_trace: Vec<_> = of_trace.collect();
    of_trace.sort_by_key(|span| span.start_time_unix_nano);
    let names: Vec<_> = of_trace.iter().map(|span| span.name.as_str()).collect();
    let expected = [
        "POST /execute",
        "execution",
        "queue",
        "start",
        "run",
        "collect",
    ];
    expect(names == expected, names)?;
    let (request, execution) = (of_trace[0], of_trace[1]);
    expect(hex(&request.parent_span_id) == PARENT, request)?;
    expect(request.kind() == SpanKind::Server, request)?;
    for (key, value) in [
        ("http.request.method", "POST"),
        ("http.route", "/execute"),
        ("http.response.status_code", "200"),
        ("cellblock.request_id", "child"),
    ] {
        expect(
            attribute(request, key).as_deref() == Some(value),
            (key, request),
        )?;
    }
    expect(execution.parent_span_id == request.span_id, execution)?;
    let outcome = attribute(execution, "outcome");
    expect(outcome.as_deref() == Some("succeeded"), execution)?;
    for phase in &of_trace[2..] {
        let within = phase.parent_span_id == execution.span_id
            && phase.start_time_unix_nano >= execution.start_time_unix_nano
            && phase.end_time_unix_nano <= execution.end_time_unix_nano;
        expect(within, (phase, execution))?;
    }
    Ok(())
}

/// Each item is an execution of the one request.
fn batched(spans: &[Span]) -> Result<(), String> {
    let request = spans
        .iter()
        .find(|span| span.name == "POST /v1/executions:batch");
    let request = request.ok_or("no span of it")?;
    let executions = spans.iter().filter(|span| span.name == "execution");
    let executions = executions.filter(|span| span.parent_span_id == request.span_id);
    let outcomes: Vec<_> = executions.map(|span| attribute(span, "outcome")).collect();
    let all: Vec<_> = spans
        .iter()
        .map(|span| (&span.name, hex(&span.parent_span_id), hex(&span.span_id)))
        .collect();
    expect(outcomes == vec![Some("exception".to_owned()); 2], all)
}

/// A collector that is not there costs a run nothing, and the server ends all the same.
fn nobody_listens(setup: &Setup, report: &mut Report) {
    let nowhere = quoted("http://127.0.0.1:9/v1/traces");
    let mut server = setup
        .clone()
        .set("telemetry", "otlp_endpoint", nowhere)
        .start();
    report.add("without a collector", send(&server, "alone", &[]));
    server.signal(Signal::TERM);
    let status = server.wait(Duration::from_secs(30));
    let code = status.and_then(|status| status.code());
    report.check("its end", code == Some(0), format!("{status:?}"));
    let told = server.log().contains("telemetry data will be lost");
    report.check("its log", told, server.log());
}

fn hex(id: &[u8]) -> String {
    id.iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
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
