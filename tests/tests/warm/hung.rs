//! A zygote that hangs is replaced, and `/health` says so meanwhile.

use std::{
    io::Read,
    thread,
    time::{Duration, Instant},
};

use cellblock_tests::{Answer, Engine, Report, Server, each_python, eventually};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::load::PATIENCE;

/// More than there are cells ready, so that some wait for the zygote.
const RUNS: usize = 5;
const SCRIPT: &str = "def main():\n    return 'whole'\n";
/// Goes on in the stopped zygote's wall for longer than it takes to find out.
const LONG: &str = "import time\ndef main():\n    time.sleep(9)\n    return 'whole'\n";
const ANSWER: &str = r#"{"result":"whole","stdout":""}"#;

fn signal(id: u32, signal: Signal) {
    let id = i32::try_from(id).ok().and_then(Pid::from_raw).unwrap();
    kill_process(id, signal).unwrap();
}

fn post(server: &Server, script: &str) -> Answer {
    let body = json!({ "script": script }).to_string();
    server.client().post("/execute", body.as_bytes())
}

/// Waits until `/health` says that the environment is degraded, and gives that answer.
fn degraded(server: &Server) -> Option<Value> {
    let mut said = None;
    eventually(PATIENCE, || {
        let answer = server.client().get("/health");
        let health = answer.json();
        let is = health["environments"][0]["state"] == "degraded" && answer.status == 503;
        said = is.then_some(health);
        said.is_some()
    });
    said
}

#[test]
fn a_stopped_zygote_is_replaced_and_health_says_so() {
    each_python(Engine::Warm, |setup, report| {
        // Places enough for all of them at once.
        let setup = setup.clone().set("pool", "max_running", RUNS + 1);
        let server = setup.set("pool", "zygote_silence_seconds", 2).start();
        let [zygote] = server.zygotes()[..] else {
            panic!("one zygote is there: {:?}", server.zygotes())
        };
        let body = json!({ "script": LONG, "limits": { "timeout_ms": 60_000 } }).to_string();
        let mut long = server.client().begin("/execute", &body);
        // It has its cell, and the shelf is full again.
        let taken = || server.client().get("/metrics").text().contains("running 1");
        assert!(eventually(PATIENCE, taken), "the long run does not begin");
        thread::sleep(Duration::from_millis(500));
        signal(zygote, Signal::STOP);
        run_meanwhile(&server, report);

        let others = || matches!(server.zygotes()[..], [other] if other != zygote);
        let mut answer = String::new();
        let read = long.read_to_string(&mut answer);
        let whole = read.is_ok() && answer.contains("200 OK") && answer.ends_with(ANSWER);
        report.check("what ran goes on", whole, format!("{read:?}: {answer}"));
        let gone = eventually(PATIENCE, others);
        report.check("it is gone", gone, format!("{:?}", server.zygotes()));
        let well = eventually(PATIENCE, || {
            server.client().get("/health").json()["status"] == "ready"
        });
        let health = server.client().get("/health");
        report.check("all is well again", well, health.shown());
        let said = server.log();
        let once = said.matches("did not answer within 2 s").count() == 1;
        report.check("the log", once, said);
    });
}

/// Several runs while the zygote hangs: each is answered in full, once another zygote is there.
fn run_meanwhile(server: &Server, report: &mut Report) {
    let started = Instant::now();
    thread::scope(|scope| {
        let runs: Vec<_> = (0..RUNS)
            .map(|_| scope.spawn(|| post(server, SCRIPT)))
            .collect();
        let said = degraded(server);
        let reason = said.as_ref().map(|health| {
            let environment = &health["environments"][0];
            let unready = environment["ready"] == false && health["status"] == "degraded";
            unready
                && environment["reason"]
                    .as_str()
                    .is_some_and(|it| it.contains("did not answer"))
        });
        report.check("health", reason == Some(true), format!("{said:?}"));
        for run in runs {
            let answer = run.join().unwrap();
            let whole = answer.status == 200 && answer.text() == ANSWER;
            report.check("a run that waited", whole, answer.shown());
        }
    });
    // Before, each waited for a minute and was then the server's fault.
    let took = started.elapsed();
    report.add(
        "in good time",
        cellblock_tests::now_within(took, Duration::from_secs(40)),
    );
}

/// One that works is let alone: here it is stopped for less than the bound, again and again.
#[test]
fn a_slow_zygote_is_let_alone() {
    each_python(Engine::Warm, |setup, report| {
        let server = setup.clone().set("pool", "zygote_silence_seconds", 8);
        let server = server.start();
        let before = server.zygotes();
        for _ in 0..3 {
            for id in &before {
                signal(*id, Signal::STOP);
            }
            thread::scope(|scope| {
                let runs: Vec<_> = (0..RUNS)
                    .map(|_| scope.spawn(|| post(&server, SCRIPT)))
                    .collect();
                thread::sleep(Duration::from_secs(3));
                for id in &before {
                    signal(*id, Signal::CONT);
                }
                for run in runs {
                    let answer = run.join().unwrap();
                    report.check("a run", answer.text() == ANSWER, answer.shown());
                }
            });
        }
        let after = server.zygotes();
        report.check("the same zygote", after == before, format!("{after:?}"));
        server.stop(report);
    });
}
