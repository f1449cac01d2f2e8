//! What a server needs in a container: to be the first process, and to do without an interpreter of
//! its own and without a place to write.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use cellblock_tests::{
    Engine, Program, Report, Server, Setup, children, eventually, first_python, state_dir,
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// Where the rules of cells and zygotes are written.
const SECCOMP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/sandbox/src/seccomp");
const SCRIPT: &[u8] = br#"{"script": "import pandas\ndef main(): return 42"}"#;
/// A server starts walls anew within half a second, and another for its import of pandas.
const PATIENCE: Duration = Duration::from_mins(1);

fn setup() -> Setup {
    Setup::new(Engine::Warm, &first_python())
}

/// Posts a script, as long as it takes to have room for it.
fn runs(server: &Server) -> bool {
    eventually(PATIENCE, || {
        let sent = server.client().try_send(
            "POST",
            "/execute",
            &[("Content-Type", "application/json")],
            SCRIPT,
        );
        sent.is_ok_and(|answer| answer.text() == r#"{"result":42,"stdout":""}"#)
    })
}

fn only_child(id: u32) -> u32 {
    let found = children(id);
    assert_eq!(found.len(), 1, "children of {id}: {found:?}");
    found[0]
}

fn kill(id: u32, signal: Signal) {
    let id = i32::try_from(id).ok().and_then(Pid::from_raw);
    kill_process(id.expect("a process id"), signal).expect("signalled");
}

fn is_zombie(id: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_some_and(|(_, rest)| rest.starts_with('Z'))
}

/// unshare(1), which an ordinary user may only with a user namespace.
fn unshare<'a>(flags: &[&'a str], command: &[&'a str]) -> Vec<&'a str> {
    let ordinary: &[&str] = if rustix::process::geteuid().is_root() {
        &[]
    } else {
        &["--user", "--map-current-user", "--keep-caps"]
    };
    [&["unshare"], ordinary, flags, &["--"], command].concat()
}

#[test]
fn the_first_process_buries_orphans_and_passes_signals_on() {
    let wrapper = unshare(&["--pid", "--fork", "--mount-proc"], &[]);
    let mut server = setup().started_by(&wrapper).start();
    assert!(runs(&server));
    let first = only_child(server.id());
    let serving = only_child(first);

    // Without its nsjail, the zygote is an orphan, and the first process' to bury.
    let nsjail = only_child(serving);
    let zygote = only_child(nsjail);
    kill(nsjail, Signal::KILL);
    let buried = || !fs::exists(format!("/proc/{zygote}")).expect("readable");
    assert!(eventually(PATIENCE, buried), "{}", server.log());
    assert!(runs(&server), "{}", server.log());
    assert!(
        !children(first).into_iter().any(is_zombie),
        "the first process keeps corpses"
    );

    kill(first, Signal::TERM);
    let status = server.wait(PATIENCE).expect("it ends");
    assert_eq!(status.code(), Some(0), "{}", server.log());
    assert!(server.log().contains("draining"), "{}", server.log());
}

#[test]
fn a_server_that_dies_takes_the_first_process_along() {
    let wrapper = unshare(&["--pid", "--fork", "--mount-proc"], &[]);
    let mut server = setup().started_by(&wrapper).start();
    kill(only_child(only_child(server.id())), Signal::KILL);
    let status = server.wait(PATIENCE).expect("it ends");
    assert_eq!(status.code(), Some(137), "{}", server.log());
}

#[test]
fn an_environment_as_it_was_built_needs_no_interpreter() {
    let wrapper = ["env", "CELLBLOCK_PYTHON=as-built", "PATH=/nowhere"];
    serves(&setup().started_by(&wrapper));
}

#[test]
fn a_state_directory_that_cannot_be_written_is_enough() {
    let state = state_dir();
    let state = state.to_str().expect("a path in UTF-8");
    let script = "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\" && \
         ! touch \"$0/probe\" 2>/dev/null && exec \"$@\"";
    let wrapper = unshare(&["--mount"], &["sh", "-c", script, state]);
    serves(&setup().started_by(&wrapper));
}

fn serves(setup: &Setup) {
    let server = setup.start();
    assert!(runs(&server), "{}", server.log());
    stop(server);
}

fn stop(server: Server) {
    let mut report = Report::default();
    server.stop(&mut report);
    report.finish();
}

#[test]
fn health_tells_how_the_server_of_the_same_configuration_is() {
    let server = setup().start();
    let (_, port) = server.client().address().rsplit_once(':').expect("a port");
    let directory = tempfile::tempdir().expect("a directory");
    let health = |host: &str, port: &str| {
        let arguments = ["health", "--host", host, "--port", port];
        Program::find().run(&arguments, directory.path(), "")
    };
    let ready = health("0.0.0.0", port);
    assert_eq!(ready.code, Some(0), "{ready:?}");
    assert!(ready.stdout.contains(r#""status":"ready""#), "{ready:?}");

    let port = port.to_owned();
    stop(server);
    let gone = health("127.0.0.1", &port);
    assert_eq!(gone.code, Some(1), "{gone:?}");
    assert!(gone.stderr.contains("does not answer"), "{gone:?}");
}

#[test]
fn the_containers_profile_allows_what_cells_and_zygotes_may() {
    let printed = Program::find().run(&["seccomp-profile"], &state_dir(), "");
    let profile: Value = serde_json::from_str(&printed.stdout).expect("JSON");
    assert_eq!(profile["defaultAction"], "SCMP_ACT_ERRNO");
    let rules = profile["syscalls"].as_array().expect("rules").iter();
    let names = rules.flat_map(|rule| rule["names"].as_array().expect("names"));
    let allowed: BTreeSet<_> = names.map(|name| name.as_str().expect("a name")).collect();
    let written = written_rules();
    let mut needed: BTreeSet<_> = written.iter().flat_map(|rules| calls(rules)).collect();
    assert!(needed.len() > 150, "{needed:?}");
    // Refused to cells as well, which the rules name for that.
    needed.remove("io_uring_setup");
    let refused: Vec<_> = needed.difference(&allowed).collect();
    assert!(refused.is_empty(), "{refused:?}");
    for hostile in [
        "bpf",
        "ptrace",
        "keyctl",
        "io_uring_setup",
        "userfaultfd",
        "init_module",
    ] {
        assert!(!allowed.contains(hostile), "{hostile}");
    }
}

/// The lists of rules, as they are written.
fn written_rules() -> Vec<String> {
    let directory = Path::new(SECCOMP);
    let of_cells = fs::read_dir(directory.join("rules")).expect("the rules");
    let of_cells = of_cells.map(|entry| entry.expect("an entry").path());
    of_cells
        .chain([directory.join("setup.rs")])
        .map(|path| fs::read_to_string(path).expect("rules"))
        .collect()
}

/// The calls that a list of rules names.
fn calls(rules: &str) -> impl Iterator<Item = &str> {
    let code = rules
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split("libc::SYS_").skip(1))
        .map(|rest| {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            &rest[..end.unwrap_or(rest.len())]
        })
}
