//! What becomes of the cgroups that a server makes: nothing of a run stays in one, and none of them stays.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use cellblock_tests::{Engine, Server, each_python, eventually};
use serde_json::json;

const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes that may be in a cell's group: an idle cell has some hundreds of KiB.
const LEFT: u64 = 16 << 20;

/// Looks for names that are not there, each of which the kernel remembers at the cost of the group.
const LOOKER: &str = "
import os
def main():
    base = '/packages/' + 'x' * 200
    for number in range(150_000):
        os.access(base + str(number), 0)
    return 'looked'
";

/// The directories that hold the groups of the server with this process id.
fn homes(id: u32) -> Vec<PathBuf> {
    let start = format!("cellblock-{id}-");
    let mut found = Vec::new();
    let mut todo = vec![(PathBuf::from("/sys/fs/cgroup"), 0)];
    while let Some((directory, depth)) = todo.pop() {
        for path in directories(&directory) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with(&start) {
                found.push(path);
            } else if depth < 5 {
                todo.push((path, depth + 1));
            }
        }
    }
    found
}

fn directories(of: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(of).into_iter().flatten().flatten();
    let directories = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    directories.map(|entry| entry.path()).collect()
}

/// Bytes that are charged to each of the cells' groups.
fn charged(id: u32) -> Vec<u64> {
    let cells = homes(id).into_iter().flat_map(|home| directories(&home));
    let charged = cells.filter_map(|cell| {
        let read = |name: &str| fs::read_to_string(cell.join(name)).ok();
        let text = read("memory.usage_in_bytes").or_else(|| read("memory.current"))?;
        text.trim().parse().ok()
    });
    charged.collect()
}

fn skipped(server: &Server) -> bool {
    let none = homes(server.id()).is_empty();
    if none {
        #[allow(clippy::print_stderr, reason = "a test that cannot be done says so")]
        {
            eprintln!("SKIPPED: no cgroups can be made here");
        }
    }
    none
}

fn run(server: &Server, script: &str) -> cellblock_tests::Answer {
    let limits = json!({ "timeout_ms": 60_000, "cpu_ms": 60_000, "memory_mb": 512 });
    let body = json!({ "script": script, "limits": limits });
    server
        .client()
        .post("/execute", body.to_string().as_bytes())
}

#[test]
fn the_next_run_does_not_pay_for_what_one_left() {
    each_python(Engine::Warm, |setup, report| {
        let server = setup.start();
        if skipped(&server) {
            return;
        }
        let answer = run(&server, LOOKER);
        report.check("the run", answer.status == 200, answer.shown());
        let mut left = Vec::new();
        let freed = eventually(PATIENCE, || {
            left = charged(server.id());
            left.iter().all(|bytes| *bytes < LEFT)
        });
        report.check("its group", freed, format!("{left:?}"));
        let answer = run(&server, "def main():\n    return 1\n");
        report.check("the next run", answer.status == 200, answer.shown());
        server.stop(report);
    });
}
