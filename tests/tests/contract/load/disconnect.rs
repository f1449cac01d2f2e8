//! A client that leaves ends its run at once and frees its place.

use std::time::Instant;

use cellblock_tests::{Report, Setup, matrix};

use super::{hello, is_gone, marker, runs, sleeper};

matrix!(suite);

fn suite(setup: &Setup, report: &mut Report) {
    let server = setup.clone().set("pool", "max_running", 1).start();
    for path in ["/execute", "/v1/executions"] {
        let file = marker(path.rsplit('/').next().unwrap());
        let connection = server.client().begin(path, &sleeper(&file, 50.0));
        report.check(format!("{path}: it runs"), runs(&file), "it does not");
        let left = Instant::now();
        drop(connection);
        // There is one place, and its script would sleep for a long time.
        hello().run(&server, report);
        report.check(
            format!("{path}: its process is gone"),
            is_gone(&file),
            "it is not",
        );
        let took = left.elapsed().as_secs();
        report.check(
            format!("{path}: soon"),
            took < 20,
            format!("after {took} s"),
        );
    }
    waiting(setup, report);
    background(&server, report);
    server.stop(report);
}

/// A client that leaves while it waits for a place leaves the queue.
fn waiting(setup: &Setup, report: &mut Report) {
    let server = setup
        .clone()
        .set("pool", "max_running", 1)
        .set("pool", "queue_length", 1)
        .start();
    let file = marker("first");
    let first = server.client().begin("/execute", &sleeper(&file, 50.0));
    report.check("the first runs", runs(&file), "it does not");
    for _ in 0..5 {
        let second = server.client().begin("/execute", &sleeper("second", 50.0));
        std::thread::sleep(std::time::Duration::from_millis(100));
        drop(second);
    }
    drop(first);
    hello().run(&server, report);
    server.stop(report);
}

/// What a script leaves running does not outlive its answer.
fn background(server: &cellblock_tests::Server, report: &mut Report) {
    let file = marker("background");
    let script = format!(
        "import os, time\ndef main():\n    if os.fork() == 0:\n        os.setsid()\n        \
         kept = open('{file}', 'w')\n        os.write(1, b'ready')\n        time.sleep(50)\n    \
         time.sleep(0.5)\n    return 1\n"
    );
    let body = format!("{{\"script\": {}}}", cellblock_tests::quoted(&script));
    let answer = server.client().post("/execute", body.as_bytes());
    let expected = r#"{"result":1,"stdout":"ready"}"#;
    report.check(
        "a background process",
        answer.text() == expected,
        answer.shown(),
    );
    report.check("a background process is gone", is_gone(&file), "it is not");
}
