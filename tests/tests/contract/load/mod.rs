//! Many requests, too many, and clients and servers that leave in the middle.

mod disconnect;
mod overload;
mod shutdown;

use cellblock_tests::{Case, Client, eventually, holders, quoted};
use std::time::Duration;

/// Nothing that is waited for takes this long.
const PATIENCE: Duration = Duration::from_secs(30);

/// The body of a request whose script opens a file of this name and then sleeps.
fn sleeper(marker: &str, seconds: f64) -> String {
    let script = format!(
        "import time\ndef main():\n    kept = open('{marker}', 'w')\n    time.sleep({seconds})\n    \
         return '{marker}'\n"
    );
    format!("{{\"script\": {}}}", quoted(&script))
}

/// Whether a script that keeps this file open comes to run.
fn runs(marker: &str) -> bool {
    eventually(PATIENCE, || !holders(marker).is_empty())
}

/// Whether nothing keeps this file open any more, soon.
fn is_gone(marker: &str) -> bool {
    eventually(PATIENCE, || holders(marker).is_empty())
}

/// A file name of this process' own.
fn marker(name: &str) -> String {
    format!("cellblock-{name}-{}", std::process::id())
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
