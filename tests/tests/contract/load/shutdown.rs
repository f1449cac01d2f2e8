//! SIGTERM: nothing new, what runs is answered, exit code 0.

use std::{io::Read, time::Duration};

use cellblock_tests::{Report, Setup, eventually, matrix, named, raw};
use rustix::process::Signal;

use super::{PATIENCE, is_gone, new_name, runs, sleeper};

matrix!(suite);

fn suite(setup: &Setup, report: &mut Report) {
    for signal in [Signal::TERM, Signal::INT] {
        answered(setup, signal, report);
    }
    streamed(setup, report);
    given_up(setup, report);
}

/// Answers that are read while they are made come to their end, too.
fn streamed(setup: &Setup, report: &mut Report) {
    let mut server = super::setup(setup).start();
    let name = new_name();
    let item = sleeper(&name, 2.0);
    let batch = format!("{{\"executions\": [{item}]}}");
    let address = server.client().address().to_owned();
    let answers: Vec<_> = [
        ("/v1/executions", "text/event-stream", item.as_str()),
        ("/v1/executions:batch", "application/x-ndjson", &batch),
        ("/v1/executions:batch", "application/json", &batch),
    ]
    .map(|(path, accept, body)| {
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
             Accept: {accept}\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        let address = address.clone();
        (
            accept,
            std::thread::spawn(move || raw(&address, request.as_bytes(), PATIENCE)),
        )
    })
    .into();
    let all = eventually(PATIENCE, || named(&name).len() == 3);
    report.check("streams run", all, "they do not");
    server.signal(Signal::TERM);
    for (accept, answer) in answers {
        let answer = answer.join().unwrap().unwrap_or_else(|problem| problem);
        let whole =
            answer.contains(&format!("\"result\":\"{name}\"")) && answer.ends_with("\r\n0\r\n\r\n");
        report.check(format!("{accept} is ended"), whole, answer);
    }
    let status = server.wait(PATIENCE);
    let code = status.and_then(|status| status.code());
    report.check(
        "the exit code after streams",
        code == Some(0),
        format!("{status:?}"),
    );
}

fn answered(setup: &Setup, signal: Signal, report: &mut Report) {
    let mut server = super::setup(setup).start();
    let name = new_name();
    let mut running = server.client().begin("/execute", &sleeper(&name, 2.0));
    report.check("it runs", runs(&name), "it does not");
    server.signal(signal);
    let client = server.client().clone();
    let late = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(500));
        let json = [("content-type", "application/json")];
        client.try_send("POST", "/execute", &json, sleeper("late", 0.0).as_bytes())
    });
    let mut answer = String::new();
    running.set_read_timeout(Some(PATIENCE)).unwrap();
    let read = running.read_to_string(&mut answer);
    let good = answer.ends_with(&format!("{{\"result\":\"{name}\",\"stdout\":\"\"}}"));
    report.check("what runs is answered", good, format!("{read:?} {answer}"));
    let late = late.join().unwrap();
    let refused = late.as_ref().map_or(true, |answer| answer.status == 503);
    report.check("nothing new is taken", refused, format!("{late:?}"));
    let status = server.wait(PATIENCE);
    let code = status.and_then(|status| status.code());
    report.check("the exit code", code == Some(0), format!("{status:?}"));
    report.check("nothing is left", is_gone(&name), "something is");
}

/// Beyond the drain limit what still runs is ended.
fn given_up(setup: &Setup, report: &mut Report) {
    let mut server = super::setup(setup)
        .set("server", "drain_seconds", 1)
        .start();
    let name = new_name();
    let _running = server.client().begin("/execute", &sleeper(&name, 50.0));
    report.check("it runs", runs(&name), "it does not");
    server.signal(Signal::TERM);
    let status = server.wait(PATIENCE);
    let code = status.and_then(|status| status.code());
    report.check(
        "the exit code beyond the limit",
        code == Some(0),
        format!("{status:?}"),
    );
    report.check(
        "nothing is left beyond the limit",
        is_gone(&name),
        "something is",
    );
}
