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

/// Starts a server where so many descriptors may be open.
fn with_descriptors(limit: u32) -> Setup {
    let start = format!("ulimit -n {limit}; exec \"$@\"");
    Setup::new(Engine::Warm, &first_python()).started_by(&["sh", "-c", &start, "sh"])
}

#[test]
fn few_descriptors_are_enough_or_refused_in_a_sentence() {
    let mut report = Report::default();
    report.enter("descriptors".to_owned());
    let refused = with_descriptors(100).try_start().err().unwrap_or_default();
    let said: Vec<_> = refused
        .lines()
        .filter(|line| line.contains("descriptors"))
        .collect();
    let one = matches!(said[..], [line] if line.contains("at most 100 descriptors may be open")
        && line.contains("needs 1") && line.contains("ulimit -Hn"));
    report.check("too few", one && !refused.contains("nsjail"), &refused);

    // More cells than there were clients that could be served, and clients beside them.
    let server = with_descriptors(1100).start();
    let warned = server.log().contains("connections are served at a time");
    report.check("fewer connections", warned, server.log());
    let idle: Vec<_> = (0..1000)
        .filter_map(|_| std::net::TcpStream::connect(server.client().address()).ok())
        .collect();
    std::thread::sleep(std::time::Duration::from_secs(1));
    drop(idle);
    let body = br#"{"script": "def main():\n    return 1\n"}"#;
    for _ in 0..8 {
        let answer = server.client().post("/execute", body);
        report.check("a run", answer.json()["result"] == 1, answer.shown());
    }
    let lost = server.log().contains("a zygote was lost");
    report.check("no zygote is lost", !lost, server.log());
    server.stop(&mut report);
    report.finish();
}

/// A directory that is full, in a mount namespace that ends with the program.
#[test]
fn a_full_disk_is_told_in_a_sentence() {
    let mut report = Report::default();
    report.enter("full disk".to_owned());
    let directory = Setup::new(Engine::Warm, &first_python()).prepare();
    let full = tempfile::tempdir().unwrap();
    std::fs::set_permissions(full.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let place = full.path().to_str().unwrap();
    let built = cellblock_tests::state_dir().join("environments");
    let built = built.display();
    let start = format!(
        "mount -t tmpfs -o size=64k,mode=755 none {place} && ln -s {built} {place}/environments || exit 99; \
         dd if=/dev/zero of={place}/fill bs=1k 2>/dev/null; timeout 120 \"$@\""
    );
    let program = Program::find().command(&[]).get_program().to_owned();
    for (command, code) in [("serve", 3), ("doctor", 1)] {
        let done = std::process::Command::new("unshare")
            .args(["--mount", "sh", "-c", &start, "sh"])
            .arg(&program)
            .args([command, "--state-dir", place])
            .current_dir(directory.path())
            .output();
        let done = match done {
            Ok(done) if done.status.code() != Some(99) => done,
            _ => {
                #[allow(clippy::print_stderr, reason = "a test that cannot be done says so")]
                {
                    eprintln!("SKIPPED: nothing can be mounted here");
                }
                return;
            }
        };
        let said =
            [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        let good = done.status.code() == Some(code)
            && said
                .iter()
                .any(|text| text.contains("No space left on device"));
        report.check(command, good, format!("{:?}: {said:?}", done.status));
        let left = std::fs::read_dir(full.path()).unwrap().count();
        report.check("nothing is left below", left == 0, left);
        if command == "serve" {
            let one = said[1].lines().count() == 1 && said[1].contains("--state-dir");
            report.check("one sentence", one, &said[1]);
        } else {
            let named = said[0]
                .lines()
                .any(|line| line.starts_with("MISSING") && line.contains("state directory"));
            report.check("the check that fails", named, &said[0]);
        }
    }
    report.finish();
}
