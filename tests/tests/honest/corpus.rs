//! The whole table, by plain Python and in cells of each tier.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use cellblock_tests::{Engine, Report, Server, Setup, pythons};

use crate::{
    outcome::Outcome,
    plain::Plain,
    table::{self, Script},
    version::Version,
};

/// The least that the corpus may shrink to.
const LEAST: usize = 250;
/// Scripts that are asked for at once.
const CLIENTS: usize = 4;
/// A busy machine is not what is compared.
const TIMEOUT_MS: u32 = 30_000;

#[test]
fn the_table_is_large_and_its_entries_are_whole() {
    let areas = table::areas();
    let scripts: Vec<_> = areas.iter().flat_map(|area| table::load(area)).collect();
    let names: BTreeSet<_> = scripts.iter().map(|script| &script.name).collect();
    assert_eq!(names.len(), scripts.len(), "a name is there twice");
    assert!(scripts.len() >= LEAST, "{} scripts", scripts.len());
    for script in &scripts {
        assert_eq!(script.fault(), None, "{}", script.name);
    }
}

#[test]
fn warm() {
    run("warm", |python| Setup::new(Engine::Warm, python));
}

#[test]
fn cold() {
    run("cold", |python| Setup::new(Engine::Cold, python));
}

/// A host that gives no namespaces, as a container without flags; the floor `process` accepts that.
#[test]
fn without_namespaces() {
    run("without namespaces", |python| {
        Setup::new(Engine::Warm, python)
            .set("isolation", "floor", "\"process\"")
            .without_namespaces()
    });
}

/// Runs the table with each interpreter, and says how much of it came out as outside.
fn run(tier: &str, setup: fn(&Path) -> Setup) {
    let mut report = Report::default();
    let areas = table::chosen_areas();
    let scripts: Vec<_> = areas.iter().flat_map(|area| table::load(area)).collect();
    for python in pythons() {
        let version = Version::of(&python);
        report.enter(format!("{tier}, Python {version}"));
        let server = setup(&python)
            .set("limits", "default_timeout_ms", TIMEOUT_MS)
            .start();
        let bench = Bench {
            tier,
            version,
            plain: Plain::new(&python),
            server: &server,
        };
        let fit: Vec<_> = scripts
            .iter()
            .filter(|script| script.is_for(version))
            .collect();
        let results = bench.run_all(&fit);
        let (all, failed) = (results.len(), report.failed());
        for (name, result) in results {
            report.add(name, result);
        }
        let good = all - (report.failed() - failed);
        let differ = fit
            .iter()
            .filter(|script| script.difference(tier, version).is_some());
        let known = fit
            .iter()
            .filter(|script| script.known(tier, version).is_some());
        report.say(format!(
            "{good} of {all} scripts came out as told: {} differ from plain Python by design, {} \
             have a fault that is known, all others are the same in and out",
            differ.count(),
            known.count()
        ));
        server.stop(&mut report);
    }
    report.finish();
}

/// One server, and the interpreter that it is compared with.
struct Bench<'a> {
    tier: &'a str,
    version: Version,
    plain: Plain,
    server: &'a Server,
}

impl Bench<'_> {
    /// Runs the scripts, several at once; what came of each, in their order.
    fn run_all(&self, scripts: &[&Script]) -> Vec<(String, Result<(), String>)> {
        let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| {
                    while let at = next.fetch_add(1, Ordering::Relaxed)
                        && let Some(script) = scripts.get(at)
                    {
                        let result = self.run(script);
                        results.lock().expect("unpoisoned").push((at, result));
                    }
                });
            }
        });
        let mut results = results.into_inner().expect("unpoisoned");
        results.sort_by_key(|(at, _)| *at);
        let named = results.into_iter();
        named
            .map(|(at, result)| (scripts[at].name.clone(), result))
            .collect()
    }

    fn run(&self, script: &Script) -> Result<(), String> {
        let answer = self.server.client().post("/v1/executions", &script.body());
        let inside = Outcome::of(&answer);
        let result = self.judge(script, &inside);
        match script.known(self.tier, self.version) {
            None => result,
            Some(_) if result.is_err() => Ok(()),
            Some(known) => Err(format!("is mended, take its `known` away: {}", known.why)),
        }
    }

    fn judge(&self, script: &Script, inside: &Outcome) -> Result<(), String> {
        let difference = script.difference(self.tier, self.version);
        if script.only_inside {
            return inside.check(difference.expect("one"));
        }
        let same = inside.same(&self.plain.run(script), script);
        match difference {
            None => same,
            Some(difference) if same.is_err() => inside.check(difference),
            Some(_) => Err("is as outside, take its difference away".to_owned()),
        }
    }
}
