//! What cannot work is refused in one line that says what to do.

use std::{net::TcpListener, os::unix::fs::PermissionsExt};

use cellblock_tests::{Engine, Program, Report, Setup, first_python};

/// What was said on one line of standard error, with exit code 2 or 3.
fn refused(report: &mut Report, name: &str, arguments: &[&str], parts: &[&str]) {
    let directory = Setup::new(Engine::Warm, &first_python()).prepare();
    let done = Program::find().run(arguments, directory.path(), "");
    report.check(name, matches!(done.code, Some(2 | 3)), format!("{done:?}"));
    let one = done.stderr.lines().count() == 1 && done.stdout.is_empty();
    report.check(name, one, format!("{done:?}"));
    for part in parts {
        report.check(name, done.stderr.contains(part), format!("{done:?}"));
    }
}

#[test]
fn every_likely_mistake_gets_its_sentence() {
    let mut report = Report::default();
    report.enter("refusals".to_owned());
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let empty = tempfile::tempdir().unwrap();
    std::fs::set_permissions(empty.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let file = empty.path().join("file");
    std::fs::write(&file, "").unwrap();
    let (state, file) = (empty.path().to_str().unwrap(), file.to_str().unwrap());
    let rows: [(&str, &[&str], &[&str]); 12] = [
        (
            "port in use",
            &["serve", "--port", &port],
            &["cannot listen on 127.0.0.1:", "--port"],
        ),
        (
            "no such host",
            &["serve", "--host", "not an address"],
            &["cannot listen on not an address", "--host"],
        ),
        (
            "no nsjail",
            &["serve", "--nsjail", "/no/such/nsjail"],
            &["nsjail was not found at /no/such/nsjail", "make setup"],
        ),
        (
            "nsjail is no program",
            &["serve", "--nsjail", file],
            &["is not an executable file", "--nsjail"],
        ),
        (
            "no range of uids",
            &["serve", "--uids", "many"],
            &["isolation.uids", "\"many\" is neither auto nor FIRST:COUNT"],
        ),
        (
            "too few uids",
            &["serve", "--uids", "2100000000:3"],
            &[
                "asks for 2100000000:3",
                "fewer than the",
                "--without own_user",
            ],
        ),
        (
            "environment not built",
            &["serve", "--state-dir", state],
            &["\"default\" is not built", "cellblock env build default"],
        ),
        (
            "state directory is a file",
            &["serve", "--state-dir", file],
            &["cannot prepare", "--state-dir"],
        ),
        (
            "nowhere to build",
            &["env", "build", "default", "--state-dir", file],
            &["cannot write to", "--state-dir"],
        ),
        (
            "no such interpreter",
            &["serve", "--python", "/no/such/python"],
            &["no Python interpreter /no/such/python", "3.10 or newer"],
        ),
        (
            "to build what is taken as it was built",
            &["env", "build", "default", "--python", "as-built"],
            &["is taken as it was built", "--python"],
        ),
        (
            "no interpreter at all",
            &["serve", "--python", "/bin/true"],
            &["does not run as a Python 3", "3.10 or newer"],
        ),
    ];
    for (name, arguments, parts) in rows {
        refused(&mut report, name, arguments, parts);
    }
    report.finish();
}
