//! The death of a zygote, its replacement, and the end of the server, each under load.

use std::{thread::sleep, time::Duration};

use cellblock_tests::{Engine, Report, Server, each_python, eventually};
use rustix::process::Signal;

use super::load::{PATIENCE, kill, kill_zygotes, while_busy};

const SCRIPT: &str = "import time\ndef main():\n    time.sleep(0.02)\n    return 'whole'\n";
const ANSWER: &str = r#"{"result":"whole","stdout":""}"#;

#[test]
fn a_killed_zygote_costs_no_client_an_answer() {
    each_python(Engine::Warm, |setup, report| {
        let mut server = setup.start();
        while_busy(&server, report, SCRIPT, ANSWER, || {
            kill_zygotes(&server);
            sleep(Duration::from_millis(400));
        });
        // One that was killed while it was still warming up is logged as such.
        let log = server.log();
        let deaths = ["a zygote was lost", "no zygote"].map(|text| log.matches(text).count());
        report.check(
            "each death is logged",
            deaths.iter().sum::<usize>() == 3,
            &log,
        );
        stop(&mut server, report);
    });
}

/// A run that may be what kills its zygotes is run again once, and then no more.
#[test]
fn a_run_whose_zygotes_die_is_run_again_once() {
    each_python(Engine::Warm, |setup, report| {
        const SCRIPT: &str = "import ctypes, time\ndef main():\n    \
            ctypes.CDLL(None).prctl(15, b'again')\n    time.sleep(60)\n";
        let setup = setup
            .clone()
            .set("environments.default", "restricted", "[]");
        let mut server = setup.set("limits", "default_timeout_ms", 60_000).start();
        let body = serde_json::json!({ "script": SCRIPT }).to_string();
        let mut run = server.client().begin("/execute", &body);
        for _ in 0..2 {
            let runs = || !cellblock_tests::named("again").is_empty();
            assert!(eventually(PATIENCE, runs), "it does not run");
            for id in server.zygotes() {
                kill(id).unwrap();
            }
            assert!(eventually(PATIENCE, || !runs()), "it goes on");
        }
        let mut answer = String::new();
        let read = std::io::Read::read_to_string(&mut run, &mut answer);
        let ours = answer.contains("500 Internal") && answer.contains("\"internal\"");
        report.check("the answer", ours, format!("{read:?}: {answer}"));
        let log = server.log();
        let lost = log.matches("a run was lost").count();
        report.check("the log", lost == 2, log);
        stop(&mut server, report);
    });
}

/// Runs so short that they are over before their cell's init has run at all: it still hears the server.
#[test]
fn every_cell_ends_when_it_is_told_to() {
    each_python(Engine::Warm, |setup, report| {
        let server = setup.start();
        let script = "def main():\n    return 'whole'\n";
        let answered = while_busy(&server, report, script, ANSWER, || {
            sleep(Duration::from_secs(5));
        });
        report.check("runs went on", answered > 100, format!("{answered} did"));
        let log = server.log();
        report.check("no cell is killed", !log.contains("by force"), &log);
        server.stop(report);
    });
}

#[test]
fn a_killed_nsjail_costs_no_client_an_answer() {
    each_python(Engine::Warm, |setup, report| {
        let mut server = setup.start();
        while_busy(&server, report, SCRIPT, ANSWER, || {
            sleep(Duration::from_millis(300));
            let nsjail = cellblock_tests::children(server.id());
            for id in &nsjail {
                kill(*id).unwrap();
            }
            let another =
                || server.zygotes().len() == 1 && nsjail != cellblock_tests::children(server.id());
            assert!(eventually(PATIENCE, another), "no other wall came");
            sleep(Duration::from_millis(300));
        });
        stop(&mut server, report);
    });
}

/// A zygote that is due is replaced by one that is ready: address layout and hash seed are new.
#[test]
fn zygotes_are_replaced_without_a_gap() {
    each_python(Engine::Warm, |setup, report| {
        let server = setup.clone().set("pool", "zygote_runs", 60).start();
        let before = server.zygotes();
        let answered = while_busy(&server, report, SCRIPT, ANSWER, || {
            let replaced = || server.log().matches("a zygote is being replaced").count() >= 2;
            assert!(eventually(PATIENCE, replaced), "none was replaced");
        });
        report.check("runs went on", answered > 100, format!("{answered} did"));
        let gone = eventually(PATIENCE, || {
            server.zygotes().iter().all(|id| !before.contains(id))
        });
        report.check(
            "the first zygote is gone",
            gone,
            format!("{:?}", server.zygotes()),
        );
        server.stop(report);
    });
}

#[test]
fn sigterm_under_load_answers_what_was_accepted() {
    each_python(Engine::Warm, |setup, report| {
        let mut server = setup.clone().set("pool", "max_running", 2).start();
        let script = "import time\ndef main():\n    time.sleep(0.5)\n    return 'whole'\n";
        let body = serde_json::json!({ "script": script }).to_string();
        // Some run, some wait: all were accepted.
        let connections: Vec<_> = (0..8)
            .map(|_| server.client().begin("/execute", &body))
            .collect();
        sleep(Duration::from_millis(300));
        server.signal(Signal::TERM);
        for (number, mut connection) in connections.into_iter().enumerate() {
            let mut answer = String::new();
            let read = std::io::Read::read_to_string(&mut connection, &mut answer);
            let whole = read.is_ok() && answer.contains("200 OK") && answer.ends_with(ANSWER);
            report.check(
                format!("request {number}"),
                whole,
                format!("{read:?}: {answer}"),
            );
        }
        let status = server.wait(PATIENCE).and_then(|status| status.code());
        report.check("exit code", status == Some(0), format!("{status:?}"));
    });
}

/// Not `Server::stop`, which takes a logged error for a fault: the deaths are logged as such.
fn stop(server: &mut Server, report: &mut Report) {
    server.signal(Signal::TERM);
    let status = server.wait(PATIENCE).and_then(|status| status.code());
    report.check("exit code", status == Some(0), format!("{status:?}"));
    report.check("no panic", !server.log().contains("panicked"), server.log());
}
