//! A client that leaves ends its run at once and frees its place.

use std::time::{Duration, Instant};

use cellblock_tests::{Report, Server, Setup, eventually, matrix, quoted};

use super::{PATIENCE, hello, is_gone, new_name, runs, sleeper, take};

matrix!(suite);

fn suite(setup: &Setup, report: &mut Report) {
    let setup = &super::setup(setup).set("pool", "max_running", 1);
    let server = setup.start();
    for path in ["/execute", "/v1/executions"] {
        let name = new_name();
        let connection = server.client().begin(path, &sleeper(&name, 50.0));
        report.check(format!("{path}: it runs"), runs(&name), "it does not");
        let left = Instant::now();
        drop(connection);
        // There is one place, and its script would sleep for a long time.
        hello().run(&server, report);
        report.check(
            format!("{path}: its process is gone"),
            is_gone(&name),
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
    let server = setup.clone().set("pool", "queue_length", 1).start();
    let name = new_name();
    let first = server.client().begin("/execute", &sleeper(&name, 50.0));
    report.check("the first runs", runs(&name), "it does not");
    for _ in 0..5 {
        let second = server.client().begin("/execute", &sleeper("second", 50.0));
        std::thread::sleep(Duration::from_millis(100));
        drop(second);
    }
    drop(first);
    // The server hears of all that a little later.
    let body = br#"{"script": "def main(): return 1"}"#;
    let free = eventually(PATIENCE, || {
        server.client().post("/execute", body).status == 200
    });
    report.check("the queue is free again", free, "it is not");
    server.stop(report);
}

/// What a script leaves running does not outlive its answer.
fn background(server: &Server, report: &mut Report) {
    let name = new_name();
    let take = take(&name);
    let script = format!(
        "import os, time\ndef main():\n    ours, theirs = os.pipe()\n    if os.fork() == 0:\n        \
         os.setsid()\n        {take}\n        os.write(1, b'ready')\n        os.write(theirs, b'x')\n        \
         time.sleep(50)\n    os.read(ours, 1)\n    return 1\n"
    );
    let body = format!("{{\"script\": {}}}", quoted(&script));
    let answer = server.client().post("/execute", body.as_bytes());
    let expected = r#"{"result":1,"stdout":"ready"}"#;
    report.check(
        "a background process",
        answer.text() == expected,
        answer.shown(),
    );
    report.check("a background process is gone", is_gone(&name), "it is not");
}
