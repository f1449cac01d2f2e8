//! The users that cells have outside: one each while it lives, none of them the zygote's or the server's.

use std::{collections::BTreeSet, fs, time::Duration};

use cellblock_tests::{Engine, Report, Server, Setup, children, eventually, first_python};
use serde_json::json;

use crate::{beside::hold, corpus::share_a_user};

/// Cells that are made at once, and as many runs.
const CELLS: usize = 4;
/// A run takes a cell, and another is made in its place.
const PATIENCE: Duration = Duration::from_secs(30);
const SCRIPT: &str = r#"
import os, time
def main():
    if os.fork() == 0: time.sleep(60)
    print("runs", flush=True)
    time.sleep(60)
"#;

#[test]
fn every_cell_has_one_of_its_own() {
    let mut report = Report::default();
    for engine in [Engine::Warm, Engine::Cold] {
        report.enter(engine.to_string());
        let server = Setup::new(engine, &first_python())
            .set("pool", "warm_cells", CELLS)
            .set("pool", "max_running", CELLS)
            .start();
        if share_a_user(&server) {
            report.say("this machine gives cells no uids of their own");
            continue;
        }
        let body = json!({"script": SCRIPT, "limits": {"timeout_ms": 60_000}}).to_string();
        let held: Vec<_> = (0..CELLS)
            .map(|_| hold(server.client(), &body, "runs", 1))
            .collect();
        report.check("run", held.iter().all(Option::is_some), server.log());
        let all = match engine {
            // Those that run, and those that wait.
            Engine::Warm => 2 * CELLS,
            Engine::Cold => CELLS,
        };
        let mut found = cells(&server, engine);
        eventually(PATIENCE, || {
            found = cells(&server, engine);
            found.len() == all
        });
        report.check("cells", found.len() == all, format!("{found:?}"));
        let single = found.iter().all(|uids| uids.len() == 1);
        report.check("one each", single, format!("{found:?}"));
        let mut others: BTreeSet<_> = found.iter().flatten().copied().collect();
        report.check("distinct", others.len() == all, format!("{found:?}"));
        if engine == Engine::Warm {
            for zygote in server.zygotes() {
                let own = uids(zygote);
                let apart = own.len() == 1 && others.is_disjoint(&own);
                report.check("zygote", apart, format!("{own:?} of {others:?}"));
                others.extend(own);
            }
        }
        let own = uids(server.id());
        report.check("server", others.is_disjoint(&own), format!("{own:?}"));
        drop(held);
        server.stop(&mut report);
    }
    report.finish();
}

/// The users of all processes of each cell. A cold wall's interpreter is its cell's init.
fn cells(server: &Server, engine: Engine) -> Vec<BTreeSet<u32>> {
    let inside = server.zygotes().into_iter();
    match engine {
        Engine::Warm => inside.flat_map(children).map(of_all).collect(),
        Engine::Cold => inside.map(of_all).collect(),
    }
}

fn of_all(id: u32) -> BTreeSet<u32> {
    let below = children(id).into_iter().flat_map(of_all);
    uids(id).into_iter().chain(below).collect()
}

/// Real, effective, saved and that of files: proc(5).
fn uids(id: u32) -> BTreeSet<u32> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    let numbers = line.unwrap_or_default().split_ascii_whitespace();
    numbers.filter_map(|number| number.parse().ok()).collect()
}
