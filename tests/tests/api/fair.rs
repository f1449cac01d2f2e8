//! One key's flood neither delays nor refuses another's requests.

use std::{thread, time::Duration};

use cellblock_tests::{Engine, Report, Setup, eventually, first_python, now_within};
use serde_json::json;

use crate::keys::{make, post};

/// Each holds its place for as long as this, without using a processor.
const FLOOD: &str = r#"{"script": "import time\ndef main(): time.sleep(6)"}"#;
const ONE: &str = r#"{"script": "def main(): return 1"}"#;
const PLACES: usize = 2;
const QUEUE: usize = 6;
/// Less than a run of the flood takes: who waited for the end of one is seen.
const PROMPT: Duration = Duration::from_secs(5);

#[test]
fn a_flood_delays_and_refuses_its_own_client_only() {
    let mut report = Report::default();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("keys.toml");
    let [flood, honest] = ["flood", "honest"].map(|name| make(&file, name, ""));
    let server = Setup::new(Engine::Warm, &first_python())
        .set("access", "keys_file", json!(file))
        .set("pool", "max_running", PLACES)
        .set("pool", "queue_length", QUEUE)
        .start();
    // From now on a place is kept for it.
    report.check("alone", post(&server, &honest, ONE).status == 200, "no");
    let refused = thread::scope(|scope| {
        let send = || post(&server, &flood, FLOOD).status;
        let senders: Vec<_> = (0..PLACES + QUEUE + 2).map(|_| scope.spawn(send)).collect();
        let full = || {
            let headers = [("x-api-key", honest.as_str())];
            let metrics = server.client().send("GET", "/metrics", &headers, b"");
            metrics.text().contains(&waiting())
        };
        report.check("the queue is full", eventually(PROMPT, full), "it is not");
        for number in 0..10 {
            let started = std::time::Instant::now();
            let answer = post(&server, &honest, ONE);
            report.check(number, answer.status == 200, answer.shown());
            report.add(number, now_within(started.elapsed(), PROMPT));
        }
        let answers = senders.into_iter().map(|sender| sender.join().unwrap());
        answers.filter(|status| *status == 503).count()
    });
    report.check("refusals", refused > 0, "nobody of the flood was refused");
    server.stop(&mut report);
    report.finish();
}

/// The line of a full queue.
fn waiting() -> String {
    format!("cellblock_waiting {QUEUE}\n")
}
