//! Many requests, too many, and clients and servers that leave in the middle.

mod disconnect;
mod overload;
mod shutdown;

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use cellblock_tests::{Case, Client, Setup, eventually, named, quoted};

/// Nothing that is waited for takes this long.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server whose scripts may take a name, which needs a native call.
fn setup(setup: &Setup) -> Setup {
    setup
        .clone()
        .set("environments.default", "restricted", "[]")
}

/// Python that gives its process a name, prctl(2).
fn take(name: &str) -> String {
    format!("__import__('ctypes').CDLL(None).prctl(15, b'{name}')")
}

/// The body of a request whose script takes this name and then sleeps.
fn sleeper(name: &str, seconds: f64) -> String {
    let take = take(name);
    let script = format!(
        "import time\ndef main():\n    {take}\n    time.sleep({seconds})\n    return '{name}'\n"
    );
    format!("{{\"script\": {}}}", quoted(&script))
}

/// Whether a script that takes this name comes to run.
fn runs(name: &str) -> bool {
    eventually(PATIENCE, || !named(name).is_empty())
}

/// Whether no process has this name any more, soon.
fn is_gone(name: &str) -> bool {
    eventually(PATIENCE, || named(name).is_empty())
}

/// A name that nobody else has. The kernel keeps 15 bytes of one.
fn new_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let (process, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    format!("cb{process}-{count}")
}

fn hello() -> Case {
    Case::new("the next request", "def main(): return 'hello'")
        .returns("\"hello\"")
        .within(10)
}

/// Runs each body on a thread of its own; what came of them, in order.
fn together(client: &Client, bodies: &[String]) -> Vec<Result<cellblock_tests::Answer, String>> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = bodies
            .iter()
            .map(|body| {
                let client = client.clone();
                let json = [("content-type", "application/json")];
                scope.spawn(move || client.try_send("POST", "/execute", &json, body.as_bytes()))
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    })
}
