//! Who is killed where memory runs out for all: whoever used it up, and not the zygote, with which every
//! run would end, nor the server.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use cellblock_tests::{Engine, Report, Server, Setup, children, eventually, first_python, quoted};
use serde_json::json;

const PATIENCE: Duration = Duration::from_secs(30);

/// What a cell has to be, by what it runs: the script's processes, and its init.
const SCRIPT: i32 = 1000;
const INIT: i32 = 900;

/// A script with a child, for long enough to be looked at.
const FAMILY: &str = "
import os, time
def main():
    if os.fork() == 0:
        time.sleep(20)
        os._exit(0)
    time.sleep(20)
";

/// Many children that each take a little: no process has more than the zygote, and together they have
/// more than there is.
const HOG: &str = "
import os, time
def main():
    for _ in range(40):
        if os.fork() == 0:
            taken = b'x' * (8 << 20)
            time.sleep(30)
            os._exit(0)
    time.sleep(30)
";
const NEIGHBOUR: &str = "
import time
def main():
    time.sleep(12)
    return 'whole'
";
/// Bytes that are left for all runs together.
const ROOM: u64 = 150 << 20;

fn score(id: u32) -> Option<i32> {
    let text = fs::read_to_string(format!("/proc/{id}/oom_score_adj")).ok()?;
    text.trim().parse().ok()
}

fn begin(server: &Server, script: &str, memory_mb: u32) -> std::net::TcpStream {
    let limits = json!({ "timeout_ms": 60_000, "memory_mb": memory_mb });
    let body = json!({ "script": script, "limits": limits });
    server.client().begin("/execute", &body.to_string())
}

fn descendants(id: u32) -> Vec<u32> {
    let own = children(id);
    let below: Vec<_> = own.iter().flat_map(|id| descendants(*id)).collect();
    own.into_iter().chain(below).collect()
}

/// The scores of the cells' processes while the family runs, init's apart: known by its name, which is
/// that of its program.
fn scores(server: &Server, cells: &[u32]) -> (Vec<i32>, Vec<i32>) {
    let all = cells
        .iter()
        .flat_map(|id| [vec![*id], descendants(*id)].concat());
    let (mut inits, mut scripts) = (Vec::new(), Vec::new());
    for id in all {
        let name = fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
        let Some(score) = score(id) else { continue };
        if name.trim() == "init" {
            inits.push(score);
        } else {
            scripts.push(score);
        }
    }
    assert!(score(server.id()).is_some());
    (inits, scripts)
}

fn first_to_be_killed(setup: &Setup, report: &mut Report) {
    let server = setup.start();
    let own = score(server.id());
    let run = begin(&server, FAMILY, 64);
    let cold = setup.engine() == Engine::Cold;
    let mut seen = (Vec::new(), Vec::new());
    // A cold wall's interpreter becomes init; a zygote's children are inits.
    let right = eventually(PATIENCE, || {
        let inside = server.zygotes();
        let cells = if cold {
            inside
        } else {
            inside.into_iter().flat_map(children).collect()
        };
        seen = scores(&server, &cells);
        let (inits, scripts) = &seen;
        !inits.is_empty()
            && scripts.len() > inits.len()
            && inits.iter().all(|score| *score == INIT)
            && scripts.iter().all(|score| *score == SCRIPT)
    });
    report.check("inits and scripts", right, format!("{seen:?}"));
    for id in children(server.id()) {
        report.check("nsjail", score(id) == own, format!("{:?}", score(id)));
    }
    for id in server.zygotes().iter().filter(|_| !cold) {
        report.check("the zygote", score(*id) == own, format!("{:?}", score(*id)));
    }
    drop(run);
    server.stop(report);
}

#[test]
fn what_runs_scripts_is_the_first_to_be_killed() {
    let mut report = Report::default();
    for engine in [Engine::Warm, Engine::Cold] {
        report.enter(engine.to_string());
        first_to_be_killed(&Setup::new(engine, &first_python()), &mut report);
    }
    report.enter("without namespaces".to_owned());
    let setup = Setup::new(Engine::Warm, &first_python())
        .set("isolation", "floor", quoted("process"))
        .without_namespaces();
    first_to_be_killed(&setup, &mut report);
    report.finish();
}

/// A memory group of version 1, below the one that this process is in; removed when dropped.
struct Group(PathBuf);

impl Group {
    fn make() -> Option<Self> {
        let own = fs::read_to_string("/proc/self/cgroup").ok()?;
        let mut lines = own.lines().filter_map(|line| line.split_once(":memory:"));
        let mount = Path::new("/sys/fs/cgroup/memory");
        let own = mount.join(lines.next()?.1.trim_start_matches('/'));
        let group = own.join(format!("server-{}", std::process::id()));
        fs::create_dir(&group).ok()?;
        Some(Self(group))
    }

    fn limit(&self, bytes: u64) {
        let file = self.0.join("memory.limit_in_bytes");
        fs::write(file, bytes.to_string()).expect("written");
    }

    fn used(&self) -> u64 {
        let text = fs::read_to_string(self.0.join("memory.usage_in_bytes")).expect("read");
        text.trim().parse().expect("a number")
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        eventually(PATIENCE, || fs::remove_dir(&self.0).is_ok());
    }
}

/// As a container with a limit of memory has it: one limit above the server and its cells together.
#[test]
fn a_hog_dies_and_neither_zygote_nor_neighbour() {
    let Some(group) = Group::make() else {
        #[allow(clippy::print_stderr, reason = "a test that cannot be done says so")]
        {
            eprintln!("SKIPPED: no memory group of version 1 can be made here");
        }
        return;
    };
    let mut report = Report::default();
    report.enter("one limit for all".to_owned());
    let enter = format!("echo $$ > {}/cgroup.procs; exec \"$@\"", group.0.display());
    let setup = Setup::new(Engine::Warm, &first_python()).started_by(&["sh", "-c", &enter, "sh"]);
    let server = setup.start();
    let zygotes = server.zygotes();
    let mut neighbour = begin(&server, NEIGHBOUR, 64);
    thread::sleep(Duration::from_secs(1));
    group.limit(group.used() + ROOM);

    let mut hog = begin(&server, HOG, 1024);
    let mut answer = String::new();
    let read = hog.read_to_string(&mut answer);
    let told = answer.contains("400 Bad Request")
        && answer.contains("memory_limit")
        && answer.contains("the server's memory ran out");
    report.check("the hog is told", told, format!("{read:?}: {answer}"));
    let mut answer = String::new();
    let read = neighbour.read_to_string(&mut answer);
    let whole = answer.contains("200 OK") && answer.contains("\"whole\"");
    report.check("the neighbour", whole, format!("{read:?}: {answer}"));
    let after = server.zygotes();
    report.check("the zygote", after == zygotes, format!("{after:?}"));
    let mut honest = String::new();
    let read = begin(&server, "def main():\n    return 1\n", 64).read_to_string(&mut honest);
    report.check(
        "the next run",
        honest.contains("{\"result\":1"),
        format!("{read:?}: {honest}"),
    );
    server.stop(&mut report);
    report.finish();
}
