//! What is no valid request, and the statuses that it gets. Nothing here reaches an engine or an
//! interpreter, so one of each is enough.

mod bodies;
mod fuzz;
mod malformed;
mod oversized;
mod status;

use cellblock_tests::{Case, Engine, Report, Setup, first_python};

/// Runs checks against a server of their own.
fn suite(change: fn(Setup) -> Setup, checks: fn(&cellblock_tests::Server, &mut Report)) {
    let mut report = Report::default();
    let server = change(Setup::new(Engine::Warm, &first_python())).start();
    checks(&server, &mut report);
    Case::new("the server still works", "def main(): return 1")
        .returns("1")
        .run(&server, &mut report);
    server.stop(&mut report);
    report.finish();
}

#[test]
fn statuses() {
    suite(
        |setup| setup.set("server", "body_bytes", 2_000_000),
        status::check,
    );
}

#[test]
fn bodies_are_judged() {
    suite(|setup| setup, bodies::check);
}

#[test]
fn malformed_http_is_survived() {
    let patience = |setup: Setup| {
        setup
            .set("server", "header_timeout_ms", 1000)
            .set("server", "body_timeout_ms", 1000)
    };
    suite(patience, malformed::check);
}

#[test]
fn random_bodies_are_survived() {
    let short = |setup: Setup| {
        setup
            .set("limits", "default_timeout_ms", 2000)
            .set("limits", "max_timeout_ms", 2000)
    };
    suite(short, fuzz::check);
}
