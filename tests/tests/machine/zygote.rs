//! A run whose zygote dies is run again: it has no effect outside of its cell.

use std::{fs, thread, time::Duration};

use cellblock_tests::{Engine, Report, Server, Setup, eventually, first_python};
use rustix::process::{Pid, Signal, kill_process};

const SCRIPT: &str = r#"{"script": "import time\ndef main():\n    time.sleep(0.5)\n    return 5"}"#;

fn child(parent: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).ok()?;
    children.split_ascii_whitespace().next()?.parse().ok()
}

/// The server's nsjail and, with `inside`, the interpreter in it. Cells are the latter's.
fn victim(server: &Server, inside: bool) -> Option<u32> {
    let threads = fs::read_dir(format!("/proc/{}/task", server.id())).ok()?;
    let nsjail = threads.flatten().find_map(|thread| {
        let children = fs::read_to_string(thread.path().join("children")).ok()?;
        children.split_ascii_whitespace().next()?.parse().ok()
    })?;
    if inside { child(nsjail) } else { Some(nsjail) }
}

#[test]
fn a_run_survives_the_death_of_its_zygote() {
    let mut report = Report::default();
    let server = Setup::new(Engine::Warm, &first_python()).start();
    for (round, inside) in [true, false, true, true].into_iter().enumerate() {
        report.enter(format!("round {round}"));
        let found = eventually(Duration::from_secs(30), || {
            victim(&server, inside).is_some()
        });
        report.check("zygote", found, "there is none");
        let run = {
            let client = server.client().clone();
            thread::spawn(move || client.post("/execute", SCRIPT.as_bytes()))
        };
        thread::sleep(Duration::from_millis(200));
        let id = victim(&server, inside).and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(id) = id {
            kill_process(id, Signal::KILL).unwrap();
        }
        let answer = run.join().unwrap();
        let good = answer.text() == r#"{"result":5,"stdout":""}"#;
        report.check("answer", good, answer.shown());
    }
    report.finish();
}
