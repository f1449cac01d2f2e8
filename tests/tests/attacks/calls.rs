//! Every rule of the system-call filter is needed: strace(1) watches a zygote make cells that run the
//! honest scripts, and each alternative of each rule has to be met by a call that is made there.
//!
//! strace and no filter of our own, because what is to be seen is what the processes ask of the
//! kernel with the real filter on.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use cellblock_sandbox::seccomp::{self, Arg, Rule};
use cellblock_tests::{Engine, Report, Server, Setup, eventually, first_python, quoted};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::table;

/// A call as it was made: its number and its arguments.
type Call = (i64, [u64; 6]);

/// More cells than the shelf holds, so that what is run is made while strace watches.
const USED_UP: usize = 6;
/// For what runs under strace on a busy machine.
const LIMITS: &str = r#"{"timeout_ms": 60000, "cpu_ms": 60000, "memory_mb": 512}"#;

#[test]
fn each_allowed_call_is_needed() {
    let mut report = Report::default();
    let server = Setup::new(Engine::Warm, &first_python())
        .set("pool", "warm_cells", 1)
        .start();
    let watch = Watch::start(&server);
    for _ in 0..USED_UP {
        let answer = server.client().post("/execute", SHORT.as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.shown());
    }
    for (name, script) in table::honest() {
        let body = format!("{{\"script\": {}, \"limits\": {LIMITS}}}", quoted(&script));
        let answer = server.client().post("/execute", body.as_bytes());
        let passed = answer.status == 200 && answer.json()["result"] == true;
        report.check(name, passed, answer.shown());
    }
    let calls = watch.stop();
    report.check("calls", calls.len() > 300, "strace saw next to nothing");
    for rule in seccomp::cell_rules().chain(seccomp::setup_rules()) {
        for unmet in unmet(rule, &calls) {
            let problem = format!("nothing makes it with {unmet:?}; it is for {:?}", rule.why);
            report.add(format!("call {}", rule.call), Err(problem));
        }
    }
    server.stop(&mut report);
    report.finish();
}

const SHORT: &str = r#"{"script": "def main():\n    return 1"}"#;

/// The alternatives of a rule that no call met.
fn unmet(rule: &Rule, calls: &BTreeSet<Call>) -> Vec<&'static [Arg]> {
    let mut made = calls
        .range((rule.call, [0; 6])..=(rule.call, [u64::MAX; 6]))
        .map(|(_, args)| *args);
    let alternatives = rule.when.alternatives();
    if alternatives.is_empty() {
        return if made.next().is_some() {
            vec![]
        } else {
            vec![&[]]
        };
    }
    let made: Vec<_> = made.collect();
    let meets = |alternative: &[Arg]| {
        let all = |args: &[u64; 6]| alternative.iter().all(|arg| arg.holds(args));
        made.iter().any(all)
    };
    alternatives
        .iter()
        .copied()
        .filter(|alternative| !meets(alternative))
        .collect()
}

/// strace, attached to a server's zygote and to all that it makes.
struct Watch {
    strace: Child,
    directory: TempDir,
}

impl Watch {
    fn start(server: &Server) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let zygotes = server.zygotes();
        let [zygote] = zygotes[..] else {
            panic!("not one zygote: {zygotes:?}");
        };
        // Numbers, not names or flags: that is what the rules are about.
        let mut strace = Command::new("strace")
            .args([
                "-f",
                "-n",
                "-qq",
                "-e",
                "raw=all",
                "-e",
                "signal=none",
                "-o",
            ])
            .arg(directory.path().join("calls"))
            .args(["-p", &zygote.to_string()])
            .stdin(Stdio::null())
            .spawn()
            .expect("strace, which this test needs, starts");
        let attached = eventually(Duration::from_secs(20), || {
            assert!(
                strace.try_wait().expect("our child").is_none(),
                "strace ended"
            );
            tracer(zygote) == Some(strace.id())
        });
        assert!(attached, "strace did not attach");
        Self { strace, directory }
    }

    /// Every call that it saw.
    fn stop(mut self) -> BTreeSet<Call> {
        let id = i32::try_from(self.strace.id()).ok().and_then(Pid::from_raw);
        // Told so, it detaches from all that it traces, and ends.
        kill_process(id.expect("a process id"), Signal::INT).expect("signalled");
        self.strace.wait().expect("strace ends");
        parse(&self.directory.path().join("calls"))
    }
}

fn tracer(process: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("TracerPid:"))?;
    line.trim().parse().ok().filter(|id| *id != 0)
}

/// Lines such as `4711 [  72] fcntl(0x3, 0x2, 0x1) = 0`; a call that another process's interrupted
/// has its arguments in the first half, and its second is passed over.
fn parse(file: &Path) -> BTreeSet<Call> {
    let text = fs::read(file).expect("what strace wrote");
    let text = String::from_utf8_lossy(&text);
    text.lines().filter_map(call).collect()
}

fn call(line: &str) -> Option<Call> {
    let (_, rest) = line.split_once('[')?;
    let (number, rest) = rest.split_once(']')?;
    let (_, args) = rest.split_once('(')?;
    if rest.trim_start().starts_with('<') {
        return None;
    }
    let args = args.split_once([')', '<']).map_or(args, |(args, _)| args);
    let mut values = [0; 6];
    let args = args
        .split(',')
        .map(|arg| arg.trim().trim_start_matches("0x"));
    for (value, arg) in values.iter_mut().zip(args) {
        *value = u64::from_str_radix(arg, 16).unwrap_or(0);
    }
    Some((number.trim().parse().ok()?, values))
}
