//! Clients that keep a server busy while something is done to it.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread::{self, sleep},
    time::Duration,
};

use cellblock_tests::{Client, Report, Server, eventually};
use rustix::process::{Pid, Signal, kill_process};

/// Clients at a time.
const CLIENTS: usize = 6;
const BETWEEN_DEATHS: Duration = Duration::from_millis(400);
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Runs `script` from several clients until `during` has ended; how many were answered.
pub(crate) fn while_busy(
    server: &Server,
    report: &mut Report,
    script: &str,
    answer: &str,
    during: impl FnOnce(),
) -> usize {
    let over = AtomicBool::new(false);
    let client = server.client();
    let results: Vec<_> = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| scope.spawn(|| ask(client, script, answer, &over)))
            .collect();
        during();
        over.store(true, Ordering::Relaxed);
        clients
            .into_iter()
            .map(|client| client.join().unwrap())
            .collect()
    });
    let mut answered = 0;
    for result in results {
        match result {
            Ok(count) => answered += count,
            Err(problem) => report.check("every client is answered", false, problem),
        }
    }
    answered
}

/// Kills the server's zygote a few times, and waits for another each time.
pub(crate) fn kill_zygotes(server: &Server) {
    for _ in 0..3 {
        sleep(BETWEEN_DEATHS);
        let [zygote] = server.zygotes()[..] else {
            panic!("one zygote is there: {:?}", server.zygotes())
        };
        kill(zygote).unwrap();
        let another = || matches!(server.zygotes()[..], [other] if other != zygote);
        assert!(eventually(PATIENCE, another), "no other zygote came");
        // A run that was lost is run again once, so it has to get that far before the next death.
        let ready = || server.client().get("/health").status == 200;
        assert!(eventually(PATIENCE, ready), "the other is never ready");
    }
}

/// Kills a process, which may have ended already.
pub(crate) fn kill(id: u32) -> rustix::io::Result<()> {
    let id = i32::try_from(id).ok().and_then(Pid::from_raw).unwrap();
    kill_process(id, Signal::KILL)
}

fn ask(client: &Client, script: &str, answer: &str, over: &AtomicBool) -> Result<usize, String> {
    let body = serde_json::json!({ "script": script }).to_string();
    let mut count = 0;
    while !over.load(Ordering::Relaxed) {
        let headers = [("content-type", "application/json")];
        let got = client.try_send("POST", "/execute", &headers, body.as_bytes())?;
        if got.text() != answer {
            return Err(got.shown());
        }
        count += 1;
    }
    Ok(count)
}
