//! Builds real environments and runs their interpreters with nothing else in sight.
//!
//! `CELLBLOCK_TEST_PYTHONS` names the interpreters, separated by colons; `python3` by default.
#![allow(clippy::expect_used, reason = "in a test, that is how to fail")]

use std::env;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cellblock::environment::{
    self, BuildError, Environment, EnvironmentSpec, PACKAGES, PYTHON, Requirements,
};

/// What scripts may expect of a standard library, tests and windows aside.
const IMPORTS: &str = "
import asyncio, bz2, csv, ctypes, decimal, email, hashlib, json, lzma, multiprocessing, pwd
import sqlite3, ssl, statistics, sysconfig, threading, unittest, uuid, xml.etree.ElementTree
import zlib, zoneinfo
assert decimal.Decimal('0.1') + decimal.Decimal('0.2') == decimal.Decimal('0.3')
assert sqlite3.connect(':memory:').execute('select 40 + 2').fetchone() == (42,)
assert lzma.decompress(lzma.compress(b'x')) == bz2.decompress(bz2.compress(b'x')) == b'x'
assert pwd.getpwuid(1000).pw_name == 'cell'
assert ctypes.CDLL(None).getpid() > 0
ctypes.CDLL('libgcc_s.so.1')
thread = threading.Thread(target=lambda: None)
thread.start()
thread.join()
";

fn interpreters() -> Vec<PathBuf> {
    let named = env::var("CELLBLOCK_TEST_PYTHONS").unwrap_or_default();
    let named: Vec<_> = named.split(':').filter(|path| !path.is_empty()).collect();
    let named = if named.is_empty() {
        vec!["python3"]
    } else {
        named
    };
    named.into_iter().map(PathBuf::from).collect()
}

fn spec(interpreter: &Path, requirements: Requirements) -> EnvironmentSpec {
    EnvironmentSpec {
        name: "test".to_owned(),
        interpreter: interpreter.to_owned(),
        requirements,
    }
}

fn build(interpreter: &Path, requirements: Requirements, state: &Path) -> Environment {
    let mut steps = Vec::new();
    environment::build(&spec(interpreter, requirements), state, &mut |step| {
        steps.push(step);
    })
    .unwrap_or_else(|error| panic!("{}: {error}, after {steps:?}", interpreter.display()))
}

/// Runs code with the environment as its whole file system.
fn run(environment: &Environment, code: &str) -> String {
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "--root"])
        .arg(&environment.root)
        .args([PYTHON, "-I", "-S", "-X", "utf8", "-c"])
        .arg(format!("import sys; sys.path.append({PACKAGES:?})\n{code}"))
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .stdin(Stdio::null())
        .output()
        .expect("unshare(1) starts");
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success(),
        "Python {}: {stderr}",
        environment.python
    );
    stdout.trim().to_owned()
}

fn walk(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(walk(&path));
        }
        found.push(path);
    }
    found
}

#[test]
fn every_interpreter_runs_alone_from_its_environment() {
    for interpreter in interpreters() {
        let state = tempfile::tempdir().expect("temporary directory");
        let built = build(&interpreter, Requirements::None, state.path());
        let stated = "print(sys.prefix, sys.base_prefix, sys.exec_prefix, sys.executable, '%d.%d.%d' % sys.version_info[:3])";
        let expected = format!("/python /python /python {PYTHON} {}", built.python);
        assert_eq!(run(&built, stated), expected);
        run(&built, IMPORTS);
        knows_no_other_place(&built);
        has_everything_compiled(&built);
        holds_no_other_program(&built);
        is_readable_by_all(&built);
    }
}

fn knows_no_other_place(built: &Environment) {
    let path = run(built, "print(*sys.path, sep='\\n')");
    for directory in path.lines() {
        assert!(
            directory.starts_with("/python/") || directory == PACKAGES,
            "{directory}"
        );
    }
    let home = env::var("HOME").expect("HOME is set");
    let settings = run(
        built,
        "import sysconfig; print(sysconfig.get_config_vars())",
    );
    assert!(!settings.contains(&format!("'{home}/")), "{settings}");
    let file = run(built, "import json; print(json.dumps.__code__.co_filename)");
    assert_eq!(
        file,
        format!("{}/json/__init__.py", built.standard_library.display())
    );
}

fn has_everything_compiled(built: &Environment) {
    let compiled = run(
        built,
        "import json, os; name = json.__cached__; data = open(name, 'rb').read(8); print(data[4])",
    );
    assert_eq!(
        compiled, "1",
        "bytecode with an unchecked hash, see PEP 552"
    );
}

fn holds_no_other_program(built: &Environment) {
    let mut programs: Vec<_> = walk(&built.root)
        .into_iter()
        .filter(|path| {
            let meta = path.symlink_metadata().expect("readable");
            meta.is_file() && meta.mode() & 0o111 != 0
        })
        .map(|path| {
            path.file_name()
                .expect("named")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    programs.sort();
    assert_eq!(programs.len(), 2, "{programs:?}");
    assert!(programs[0].starts_with("ld-linux"), "{programs:?}");
    assert_eq!(programs[1], "python3");
    for shell in ["bin", "usr/bin", "sbin", "usr/local"] {
        assert!(!built.root.join(shell).exists(), "{shell}");
    }
}

fn is_readable_by_all(built: &Environment) {
    for path in walk(&built.root) {
        let meta = path.symlink_metadata().expect("readable");
        let needed = if meta.is_dir() { 0o755 } else { 0o644 };
        assert!(
            meta.is_symlink() || meta.mode() & needed == needed,
            "{}",
            path.display()
        );
        assert!(
            meta.is_symlink() || meta.mode() & 0o022 == 0,
            "{}",
            path.display()
        );
    }
}

#[test]
fn a_built_environment_is_found_until_what_it_is_made_of_changes() {
    let state = tempfile::tempdir().expect("temporary directory");
    let interpreter = &interpreters()[0];
    let bare = spec(interpreter, Requirements::None);
    assert_eq!(environment::find(&bare, state.path()).expect("works"), None);
    assert!(environment::list(state.path()).expect("works").is_empty());

    let built = build(interpreter, Requirements::None, state.path());
    assert_eq!(
        environment::find(&bare, state.path()).expect("works"),
        Some(built.clone())
    );
    assert_eq!(
        environment::list(state.path()).expect("works"),
        std::slice::from_ref(&built)
    );
    assert_eq!(
        build(interpreter, Requirements::None, state.path()),
        built,
        "not built again"
    );

    let other = spec(interpreter, Requirements::Text("six".to_owned()));
    assert_eq!(
        environment::find(&other, state.path()).expect("works"),
        None
    );
    environment::remove(&built, state.path()).expect("works");
    assert_eq!(environment::find(&bare, state.path()).expect("works"), None);
}

#[test]
fn two_builders_make_one_environment() {
    let state = tempfile::tempdir().expect("temporary directory");
    let interpreter = &interpreters()[0];
    let (one, other) = std::thread::scope(|scope| {
        let one = scope.spawn(|| build(interpreter, Requirements::None, state.path()));
        let other = scope.spawn(|| build(interpreter, Requirements::None, state.path()));
        (one.join().expect("builds"), other.join().expect("builds"))
    });
    assert_eq!(one, other);
}

#[test]
fn a_failed_build_names_the_reason_and_leaves_nothing() {
    let state = tempfile::tempdir().expect("temporary directory");
    // No file can have this hash, and the file that would be looked at is not even asked for.
    let impossible = "/no/such/package.whl --hash=sha256:00".to_owned();
    let spec = spec(&interpreters()[0], Requirements::Text(impossible));
    let failed = environment::build(&spec, state.path(), &mut |_| ());
    assert!(
        matches!(failed, Err(BuildError::Requirements(_))),
        "{failed:?}"
    );
    let left: Vec<_> = walk(state.path())
        .into_iter()
        .filter(|path| path.is_file())
        .collect();
    assert_eq!(left, [state.path().join("environments/.test.lock")]);
}

#[test]
fn a_virtual_environment_brings_its_packages() {
    let state = tempfile::tempdir().expect("temporary directory");
    let venv = state.path().join("venv");
    let made = Command::new(&interpreters()[0])
        .args(["-m", "venv", "--without-pip"])
        .arg(&venv)
        .status()
        .expect("starts");
    assert!(made.success());
    let site = fs::read_dir(venv.join("lib"))
        .expect("made")
        .next()
        .expect("one")
        .expect("readable");
    let site = site.path().join("site-packages");
    fs::create_dir_all(site.join("thing-1.5.dist-info")).expect("writable");
    fs::write(
        site.join("thing-1.5.dist-info/METADATA"),
        "Name: thing\nVersion: 1.5\n",
    )
    .unwrap();
    fs::write(site.join("thing.py"), "where = __file__\n").unwrap();
    fs::set_permissions(site.join("thing.py"), fs::Permissions::from_mode(0o600)).unwrap();

    let built = build(
        &venv.join("bin/python3"),
        Requirements::Installed,
        state.path(),
    );
    let packages: Vec<_> = built
        .packages
        .iter()
        .map(|p| format!("{} {}", p.name, p.version))
        .collect();
    assert_eq!(packages, ["thing 1.5"]);
    let code = "import thing, importlib.metadata as m; print(thing.where, m.version('thing'))";
    assert_eq!(run(&built, code), "/packages/thing.py 1.5");
}
