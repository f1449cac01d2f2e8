//! `cellblock doctor`, where all is well and where something is missing.

use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::Path,
    process::Command,
};

use cellblock_tests::{Engine, Finished, Program, Setup, first_python};
use serde_json::Value;

/// A user that no machine has.
const NOBODYS: u32 = 1_999_999_999;

fn setup() -> Setup {
    Setup::new(Engine::Warm, &first_python())
}

fn doctor(directory: &Path, more: &[&str]) -> Finished {
    let arguments: Vec<_> = ["doctor"].iter().chain(more).copied().collect();
    Program::find().run(&arguments, directory, "")
}

fn check<'a>(diagnosis: &'a Value, name: &str) -> &'a Value {
    let checks = diagnosis["checks"].as_array().expect("checks");
    let found = checks.iter().find(|check| check["name"] == name);
    found.unwrap_or_else(|| panic!("no check is named {name}: {diagnosis:#}"))
}

fn diagnosis(done: &Finished) -> Value {
    let parsed = serde_json::from_str(&done.stdout);
    parsed.unwrap_or_else(|error| panic!("{error}: {done:?}"))
}

#[test]
fn a_machine_that_runs_these_tests_is_well() {
    let directory = setup().prepare();
    let done = doctor(directory.path(), &[]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(!done.stdout.contains("MISSING"), "{}", done.stdout);
    assert!(
        done.stdout
            .ends_with("cellblock can serve on this machine.\n"),
        "{}",
        done.stdout
    );

    let found = diagnosis(&doctor(directory.path(), &["--json"]));
    assert_eq!(found["ready"], true);
    for name in [
        "platform",
        "state directory",
        "nsjail",
        "user namespaces",
        "mount namespaces",
        "unmasked /proc",
        "landlock",
        "seccomp",
        "environment default",
        "engine",
        "script in default",
    ] {
        assert_eq!(check(&found, name)["state"], "ok", "{found:#}");
    }
    let layers = found["isolation"].as_array().expect("layers");
    assert!(layers.iter().any(|layer| layer["name"] == "seccomp"));
}

#[test]
fn what_is_missing_is_named_with_its_remedy() {
    let directory = setup().prepare();
    let state = tempfile::tempdir().unwrap();
    let state = state.path().to_str().unwrap();
    let done = doctor(
        directory.path(),
        &[
            "--json",
            "--state-dir",
            state,
            "--nsjail",
            "/no/such/nsjail",
        ],
    );
    assert_eq!(done.code, Some(1), "{done:?}");
    let found = diagnosis(&done);
    assert_eq!(found["ready"], false);
    for name in ["nsjail", "environment default", "engine"] {
        let check = check(&found, name);
        assert_eq!(check["state"], "missing", "{found:#}");
        let remedy = check["remedy"].as_str().expect("a remedy");
        assert!(remedy.ends_with('.'), "{remedy}");
    }
    assert_eq!(check(&found, "landlock")["state"], "ok", "{found:#}");
}

/// Whom no line of /etc/subuid names has no uids to give, which no floor asks for.
#[test]
fn a_user_without_uids_of_its_own_is_told_how_to_have_some() {
    let directory = setup().prepare();
    let mut command = Program::find().command(&["doctor", "--json"]);
    command.current_dir(directory.path());
    let root = rustix::process::geteuid().is_root();
    if root {
        command.uid(NOBODYS).gid(NOBODYS);
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(directory.path(), open).expect("opened");
    }
    let found = diagnosis(&command.output().expect("doctor runs").into());
    let uids = check(&found, "uids");
    if !root && uids["state"] == "ok" {
        // Who runs the tests has some.
        return;
    }
    assert_eq!(uids["state"], "degraded", "{found:#}");
    let said = uids["remedy"].as_str().expect("a remedy");
    assert!(
        said.contains("newuidmap") && said.contains("/etc/subuid"),
        "{said}"
    );
}

/// A namespace of ours in which no user namespace can be made stands for such a machine.
#[test]
fn without_user_namespaces_doctor_and_serve_say_so() {
    let directory = setup().prepare();
    let config = directory.path().join("cellblock.toml");
    for (command, code) in [("doctor", 1), ("serve", 3)] {
        let inner = Program::find().command(&[command, "--config", config.to_str().unwrap()]);
        let output = Command::new("unshare")
            .args(["--user", "--map-root-user", "sh", "-c"])
            .arg("echo 0 > /proc/sys/user/max_user_namespaces && exec \"$@\"")
            .arg("sh")
            .arg(inner.get_program())
            .args(inner.get_args())
            .output()
            .expect("unshare(1) starts");
        let done = Finished::from(output);
        assert_eq!(done.code, Some(code), "{done:?}");
        let said = done.stdout + &done.stderr;
        assert!(
            said.contains("sysctl -w user.max_user_namespaces="),
            "{said}"
        );
        assert!(!said.contains("Traceback"), "{said}");
    }
}
