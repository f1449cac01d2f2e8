//! What is measured of a run is that run's own, and not another's that had the same cgroup before.

use cellblock_tests::{Engine, Report, Setup, first_python, quoted};
use serde_json::Value;

/// So much does the large run hold, in bytes, and the small ones far less.
const LARGE: u64 = 128 << 20;
/// More small runs than there are cells to begin with, so that one gets the large run's group.
const SMALL_RUNS: usize = 8;

#[test]
fn a_peak_of_memory_is_the_runs_own() {
    let mut report = Report::default();
    for engine in [Engine::Warm, Engine::Cold] {
        report.enter(engine.to_string());
        let server = Setup::new(engine, &first_python()).start();
        let peak = |script: &str| {
            let body = format!("{{\"script\": {}}}", quoted(script));
            let answer = server.client().post("/v1/executions", body.as_bytes());
            assert_eq!(answer.status, 200, "{}", answer.shown());
            answer.json()["usage"]["peak_memory_bytes"].clone()
        };
        let large = format!("def main(): return len(bytearray(b'x') * {LARGE})");
        let large = peak(&large);
        // Where no cgroup counts, a peak is not known.
        if large.is_null() {
            report.add("not known", Ok(()));
            continue;
        }
        let is_large = |peak: &Value| peak.as_u64().is_some_and(|peak| peak >= LARGE);
        report.check("large", is_large(&large), format!("it is {large}"));
        for number in 0..SMALL_RUNS {
            let small = peak("def main(): return 1");
            let as_told = small.as_u64().is_some_and(|peak| peak < LARGE / 2);
            report.check(format!("small {number}"), as_told, format!("it is {small}"));
        }
        server.stop(&mut report);
    }
    report.finish();
}
