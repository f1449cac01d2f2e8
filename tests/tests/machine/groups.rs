//! What becomes of the cgroups that a server makes: nothing of a run stays in one, and none of them stays.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use cellblock_tests::{Engine, Report, Server, Setup, each_python, eventually, first_python};
use rustix::process::Signal;
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

fn ends(setup: &Setup, report: &mut Report) {
    let mut server = setup.start();
    if skipped(&server) {
        return;
    }
    for _ in 0..3 {
        let answer = run(&server, "def main():\n    return 1\n");
        report.check("a run", answer.status == 200, answer.shown());
    }
    // One that still runs when the server is told to end.
    let body = json!({ "script": "import time\ndef main():\n    time.sleep(1)\n" });
    let running = server.client().begin("/execute", &body.to_string());
    std::thread::sleep(Duration::from_millis(300));
    let id = server.id();
    server.signal(Signal::TERM);
    let status = server.wait(PATIENCE).and_then(|status| status.code());
    report.check("exit code", status == Some(0), format!("{status:?}"));
    let left = homes(id);
    report.check("its groups", left.is_empty(), format!("{left:?}"));
    drop(running);
}

#[test]
fn a_server_that_ends_leaves_no_group() {
    let mut report = Report::default();
    for engine in [Engine::Warm, Engine::Cold] {
        report.enter(engine.to_string());
        ends(&Setup::new(engine, &first_python()), &mut report);
    }
    report.finish();
}

/// A memory group of version 1 for a server, below the one that this process is in.
fn elsewhere() -> Option<PathBuf> {
    let own = fs::read_to_string("/proc/self/cgroup").ok()?;
    let own = own
        .lines()
        .find_map(|line| Some(line.split_once(":memory:")?.1))?;
    let own = Path::new("/sys/fs/cgroup/memory").join(own.trim_start_matches('/'));
    let group = own.join(format!("elsewhere-{}", std::process::id()));
    fs::create_dir(&group).ok()?;
    Some(group)
}

/// What was killed cannot clear up, and the next server of the same state directory does, also where it is
/// not started in the same group.
#[test]
fn a_killed_servers_groups_are_removed_by_the_next() {
    let mut report = Report::default();
    report.enter("killed".to_owned());
    let setup = Setup::new(Engine::Warm, &first_python());
    let place = elsewhere();
    let mut first = setup.clone();
    if let Some(place) = &place {
        let enter = format!("echo $$ > {}/cgroup.procs; exec \"$@\"", place.display());
        first = first.started_by(&["sh", "-c", &enter, "sh"]);
    }
    let mut server = first.start();
    if skipped(&server) {
        return;
    }
    let (id, zygotes) = (server.id(), server.zygotes());
    server.signal(Signal::KILL);
    server.wait(PATIENCE);
    let dead = || {
        zygotes
            .iter()
            .all(|id| !Path::new(&format!("/proc/{id}")).exists())
    };
    report.check(
        "its zygote ends",
        eventually(PATIENCE, dead),
        format!("{zygotes:?}"),
    );
    report.check("it leaves some", !homes(id).is_empty(), "none");
    let next = setup.start();
    let mut left = homes(id);
    // The last of its cells may just have been dying.
    if !left.is_empty() {
        setup.start().stop(&mut report);
        left = homes(id);
    }
    report.check(
        "the next removes them",
        left.is_empty(),
        format!("{left:?}"),
    );
    report.check("and not its own", !homes(next.id()).is_empty(), "none");
    next.stop(&mut report);
    if let Some(place) = place {
        let gone = eventually(PATIENCE, || fs::remove_dir(&place).is_ok());
        report.check("its place", gone, place.display());
    }
    report.finish();
}
