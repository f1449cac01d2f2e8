//! `/v1/executions` and `/health`: every field.

mod files;

use std::collections::BTreeSet;

use cellblock_tests::{Client, Engine, Report, Setup, dedent, matrix, quoted};
use serde_json::{Value, json};

matrix!(suite);

const LAYERS: [&str; 9] = [
    "user_namespace",
    "pid_namespace",
    "mount_namespace",
    "network_namespace",
    "private_tmp",
    "resource_limits",
    "no_new_privileges",
    "landlock",
    "seccomp",
];

fn suite(setup: &Setup, report: &mut Report) {
    let setup = setup
        .clone()
        .with_plain()
        .set("limits", "output_files_bytes", 1000)
        .set("limits", "output_files_count", 4)
        .set("limits", "stdout_bytes", 100);
    let server = setup.start();
    let client = server.client();
    success(client, report);
    failures(client, report);
    usage(client, report);
    files::suite(client, report);
    health(client, setup.engine(), report);
    server.stop(report);
}

fn execute(client: &Client, script: &str, fields: &str) -> Value {
    let body = format!("{{\"script\": {}{fields}}}", quoted(&dedent(script)));
    let answer = client.post("/v1/executions", body.as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.shown());
    answer.json()
}

fn same(report: &mut Report, name: &str, found: &Value, expected: &Value) {
    report.check(name, found == expected, format!("{found}, not {expected}"));
}

fn success(client: &Client, report: &mut Report) {
    let script = "
        import sys
        def main(x):
            print('out')
            print('err', file=sys.stderr)
            return {'b': x, 'a': 1}
        ";
    let record = execute(client, script, ", \"input\": 5, \"environment\": \"plain\"");
    let names: BTreeSet<_> = record
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let expected =
        "id status result stdout stderr truncated error files missing usage environment isolation";
    report.check(
        "the fields",
        names == expected.split(' ').collect(),
        format!("{names:?}"),
    );
    same(report, "status", &record["status"], &json!("succeeded"));
    same(
        report,
        "result",
        &record["result"],
        &json!({"b": 5, "a": 1}),
    );
    same(report, "stdout", &record["stdout"], &json!("out\n"));
    same(report, "stderr", &record["stderr"], &json!("err\n"));
    same(report, "truncated", &record["truncated"], &json!([]));
    same(report, "error", &record["error"], &Value::Null);
    same(report, "files", &record["files"], &json!([]));
    same(report, "missing", &record["missing"], &json!([]));
    same(
        report,
        "environment",
        &record["environment"],
        &json!("plain"),
    );
    let other = execute(client, script, "");
    same(
        report,
        "the default environment",
        &other["environment"],
        &json!("default"),
    );
    let id = record["id"].as_str().unwrap_or("");
    report.check(
        "ids differ",
        record["id"] != other["id"] && id.len() == 36,
        id,
    );
    for layer in LAYERS {
        same(report, layer, &record["isolation"][layer], &json!("on"));
    }
    let text = client.post(
        "/v1/executions",
        br#"{"script": "def main(): return [10**30, {'b': 1, 'a': 2}]"}"#,
    );
    let exact = r#""result":[1000000000000000000000000000000,{"b":1,"a":2}]"#;
    report.check(
        "the result as it is",
        text.text().contains(exact),
        text.shown(),
    );
}

fn failures(client: &Client, report: &mut Report) {
    for (script, kind, fields) in [
        ("def main(", "syntax_error", ""),
        ("x = 1", "missing_main", ""),
        ("def main():\n    print('a')\n    1 / 0", "exception", ""),
        ("import socket", "restricted_import", ""),
        ("def main(): return {1}", "result_not_json", ""),
        ("def main(): exit(3)", "exited", ""),
        ("import os\nos.abort()", "crashed", ""),
        (
            "import time\ntime.sleep(50)",
            "timeout",
            ", \"limits\": {\"timeout_ms\": 300}",
        ),
        (
            "while True: pass",
            "cpu_limit",
            ", \"limits\": {\"cpu_ms\": 300}",
        ),
        (
            "x = bytearray(300 << 20)",
            "memory_limit",
            ", \"limits\": {\"memory_mb\": 64}",
        ),
        ("def main(): return 'x' * 9_000_000", "result_too_large", ""),
    ] {
        let record = execute(client, script, fields);
        same(report, kind, &record["status"], &json!("failed"));
        same(report, kind, &record["error"]["type"], &json!(kind));
        same(report, kind, &record["result"], &Value::Null);
        same(report, kind, &record["files"], &json!([]));
        let message = record["error"]["message"].as_str().unwrap_or("");
        report.check(kind, !message.is_empty(), "there is no message");
        report.check(
            kind,
            record["usage"]["wall_ms"].is_number(),
            &record["usage"],
        );
    }
    let record = execute(client, "def main():\n    print('x' * 200)\n    1 / 0", "");
    same(
        report,
        "truncated",
        &record["truncated"],
        &json!(["stdout"]),
    );
    same(report, "line", &record["error"]["line"], &json!(3));
}

fn usage(client: &Client, report: &mut Report) {
    let mut within = |name: &str, record: &Value, least: f64, most: f64| {
        let found = &record["usage"][name];
        // Without a cgroup nothing tells the peak.
        let unknown = found.is_null() && record["isolation"]["cgroup"] != "on";
        let good = found
            .as_f64()
            .is_some_and(|found| (least..=most).contains(&found));
        let problem = format!("{found} is not {least} to {most}: {}", record["usage"]);
        report.check(
            name,
            good || (unknown && name == "peak_memory_bytes"),
            problem,
        );
    };
    let slept = execute(client, "import time\ndef main(): time.sleep(0.5)", "");
    within("wall_ms", &slept, 500.0, 20_000.0);
    within("cpu_ms", &slept, 0.1, 450.0);
    within("queue_ms", &slept, 0.0, 20_000.0);
    within("peak_memory_bytes", &slept, 0.0, 100e6);
    let busy = "import time\ndef main():\n    while time.process_time() < 0.5: pass";
    within("cpu_ms", &execute(client, busy, ""), 300.0, 20_000.0);
    let child = "import os, time\ndef main():\n    if os.fork() == 0:\n        start = time.process_time()\n        while time.process_time() < start + 0.5: pass\n        os._exit(0)\n    os.wait()";
    within("cpu_ms", &execute(client, child, ""), 450.0, 20_000.0);
    let large = "import time\ndef main():\n    kept = b'x' * (100 << 20)\n    time.sleep(0.3)\n    return len(kept)";
    within(
        "peak_memory_bytes",
        &execute(client, large, ""),
        100e6,
        250e6,
    );
}

fn health(client: &Client, engine: Engine, report: &mut Report) {
    let answer = client.get("/health");
    let body = answer.json();
    report.check("health", answer.status == 200, answer.shown());
    let version = body["version"].as_str().unwrap_or("");
    report.check("version", version.split('.').count() == 3, version);
    let environments = body["environments"].as_array().cloned().unwrap_or_default();
    let names: Vec<_> = environments
        .iter()
        .map(|environment| &environment["name"])
        .collect();
    report.check(
        "environments",
        names == ["default", "plain"],
        format!("{names:?} ({engine})"),
    );
    for environment in &environments {
        let python = environment["python"].as_str().unwrap_or("");
        let good = environment["ready"] == true && python.starts_with("3.");
        report.check("environment", good, environment);
    }
    let layers = body["isolation"].as_array().cloned().unwrap_or_default();
    for layer in LAYERS {
        let found = layers.iter().find(|found| found["name"] == layer);
        report.check(
            layer,
            found.is_some_and(|layer| layer["state"] == "on"),
            format!("{found:?}"),
        );
    }
    for layer in &layers {
        let explained = layer["state"] == "on" || layer["reason"].is_string();
        report.check("a layer that is off has its reason", explained, layer);
    }
    let head = client.send("HEAD", "/health", &[], b"");
    report.check(
        "HEAD",
        head.status == 200 && head.body.is_empty(),
        head.shown(),
    );
}
