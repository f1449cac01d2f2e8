//! An environment that cannot be warmed up: its build says so, a server without it goes on, and it
//! comes back when it can.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use cellblock_tests::{
    Engine, Finished, Program, Report, Server, Setup, eventually, first_python, pythons, quoted,
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A degraded environment is tried again after five seconds, then after ten more.
const RETRIED: Duration = Duration::from_mins(1);

/// Writes a wheel: a package that does when it is imported what a file of it says.
const WHEEL: &str = r#"
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as wheel:
    wheel.writestr("moody/mood.txt", "")
    wheel.writestr("moody/__init__.py", "from importlib.resources import files\nexec((files(__name__) / 'mood.txt').read_text())\n")
    info = "moody-1.0.dist-info/"
    wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: moody\nVersion: 1.0\n")
    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr(info + "RECORD", "")
"#;

/// Each mood, and what is said of it.
const MOODS: [(&str, &str, &str); 6] = [
    (
        "raises",
        "raise ValueError('not today')",
        "importing \"moody\": ValueError: not today",
    ),
    (
        "crashes",
        "import ctypes; ctypes.string_at(0)",
        "the interpreter was ended by SIGSEGV while importing \"moody\"",
    ),
    (
        "exits",
        "import os; os._exit(3)",
        "the interpreter exited with code 3 while importing \"moody\"",
    ),
    (
        "hangs",
        "while True: pass",
        "the interpreter was not ready within 8 s, and still importing \"moody\"",
    ),
    (
        "starts a thread",
        "import threading; threading.Thread(target=threading.Event().wait, name='brooding').start()",
        "a thread was started (brooding by the import of moody)",
    ),
    (
        "starts a thread of native code",
        "import ctypes; ctypes.CDLL('libc.so.6').pthread_create(ctypes.byref(ctypes.c_ulong()), None, \
         ctypes.CDLL('libc.so.6').pause, None)",
        "a thread was started (python3 by the import of moody)",
    ),
];

/// A server with a plain default environment, and one that is named `bad` and preloads `moody`.
struct Moody {
    directory: TempDir,
    setup: Setup,
}

impl Moody {
    fn new(python: &Path) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
        let wheel = directory.path().join("moody-1.0-py3-none-any.whl");
        let made = Command::new(python)
            .args(["-c", WHEEL])
            .arg(&wheel)
            .status();
        assert!(made.unwrap().success());
        let requirements = directory.path().join("requirements.txt");
        fs::write(&requirements, format!("{}\n", wheel.display())).unwrap();
        let path = |path: &Path| quoted(path.to_str().unwrap());
        let setup = Setup::new(Engine::Warm, python)
            .set("", "state_dir", path(directory.path()))
            .set("pool", "start_seconds", 8)
            .set("environments.default", "requirements", "\"none\"")
            .set("environments.default", "preload", "[]")
            .set("environments.bad", "interpreter", path(python))
            .set("environments.bad", "requirements", path(&requirements))
            .set("environments.bad", "preload", "[\"json\", \"moody\"]");
        Self { directory, setup }
    }

    /// A command of the program with this configuration, and this exercise.
    fn run(&self, arguments: &[&str], exercise: &str) -> Finished {
        let setup = self.setup.clone();
        let setup = setup.set("environments.bad", "exercise", quoted(exercise));
        Program::find().run(arguments, setup.prepare().path(), "")
    }

    /// What `moody` does when it is imported next.
    fn feel(&self, mood: &str) {
        let environments = fs::read_dir(self.directory.path().join("environments")).unwrap();
        let paths = environments.map(|entry| entry.unwrap().path());
        let files = paths.map(|path| path.join("root/packages/moody/mood.txt"));
        let file: Vec<PathBuf> = files.filter(|file| file.exists()).collect();
        let [file] = &file[..] else {
            panic!("bad is built once: {file:?}")
        };
        fs::set_permissions(file, Permissions::from_mode(0o644)).unwrap();
        fs::write(file, mood).unwrap();
    }
}

fn state_of(server: &Server) -> Value {
    let health = server.client().get("/health").json();
    let environments = health["environments"].as_array().unwrap().iter();
    let mut found = environments.filter(|environment| environment["name"] == "bad");
    found.next().unwrap().clone()
}

fn ask(server: &Server, environment: &str) -> cellblock_tests::Answer {
    let script = "def main():\n    return 42\n";
    let body = json!({ "script": script, "environment": environment });
    server
        .client()
        .post("/execute", body.to_string().as_bytes())
}

#[test]
fn its_build_names_the_module_and_what_it_did() {
    let mut report = Report::default();
    for python in pythons() {
        report.enter(python.display().to_string());
        let moody = Moody::new(&python);
        let built = moody.run(&["env", "build", "bad"], "");
        report.check("a good mood", built.code == Some(0), format!("{built:?}"));
        for (name, mood, said) in MOODS {
            moody.feel(mood);
            // What worked once as it is configured is not tried again, so it is configured anew.
            let exercise = format!("# {name}");
            let built = moody.run(&["env", "build", "bad"], &exercise);
            let good = built.code == Some(3) && built.stderr.contains(said);
            report.check(name, good, format!("{built:?}"));
            let one = built
                .stderr
                .lines()
                .filter(|line| line.starts_with("cellblock: "));
            report.check(name, one.count() == 1, format!("{built:?}"));
            let listed = moody.run(&["env", "list"], &exercise);
            let good = listed.stdout.contains(said);
            report.check(format!("{name}, listed"), good, format!("{listed:?}"));
        }
    }
    report.finish();
}

#[test]
fn a_server_goes_on_without_it_until_it_is_well() {
    let mut report = Report::default();
    report.enter("degraded".to_owned());
    let moody = Moody::new(&pythons().pop().unwrap());
    let built = moody.run(&["env", "build", "bad"], "");
    report.check("built", built.code == Some(0), format!("{built:?}"));
    let (_, crash, said) = MOODS[1];
    moody.feel(crash);
    let server = moody.setup.start();

    let state = state_of(&server);
    let good = state["state"] == "degraded" && state["ready"] == false && state["reason"] == said;
    report.check("health", good, &state);
    let refused = ask(&server, "bad");
    let message = format!("environment \"bad\" is not ready: {said}");
    let good = refused.status == 503
        && refused.error_type() == "overloaded"
        && refused.json()["error"]["message"] == message
        && refused.header("retry-after").is_some();
    report.check("its own requests", good, refused.shown());
    let good = ask(&server, "default");
    report.check("those of others", good.json()["result"] == 42, good.shown());
    let log = server.log();
    let line = log
        .lines()
        .find(|line| line.contains("an environment is degraded"));
    let good = line.is_some_and(|line| line.contains("SIGSEGV") && line.contains("\"bad\""));
    report.check("the log", good, log);
    let doctor = moody.run(&["doctor", "--json"], "");
    let diagnosis: Value = serde_json::from_str(&doctor.stdout).unwrap_or_default();
    let checks = diagnosis["checks"].as_array().cloned().unwrap_or_default();
    let found = checks.iter().find(|check| check["name"] == "script in bad");
    let good = doctor.code == Some(0)
        && found.is_some_and(|check| {
            check["state"] == "degraded" && check["detail"].as_str().unwrap().contains(said)
        });
    report.check("doctor", good, format!("{doctor:?}"));

    moody.feel("");
    let well = eventually(RETRIED, || state_of(&server)["state"] == "ready");
    report.check("is tried again", well, state_of(&server));
    let good = ask(&server, "bad");
    report.check("and serves", good.json()["result"] == 42, good.shown());
    drop(server);
    report.finish();
}

#[test]
fn a_server_does_not_start_without_its_default() {
    let mut report = Report::default();
    report.enter("bad default".to_owned());
    let moody = Moody::new(&first_python());
    let built = moody.run(&["env", "build", "bad"], "");
    report.check("built", built.code == Some(0), format!("{built:?}"));
    let directory = moody.setup.prepare();
    let config = directory.path().join("cellblock.toml");
    let text = fs::read_to_string(&config).unwrap();
    let text = text.replace("preload = []", "preload = [\"no_such_module\"]");
    fs::write(&config, text).unwrap();
    let done = Program::find().run(&["serve"], directory.path(), "");
    let problem = done.stderr;
    report.check("exit code", done.code == Some(3), &problem);
    let good = problem.contains("environment \"default\" cannot be warmed up")
        && problem.contains("importing \"no_such_module\": ModuleNotFoundError");
    report.check("it ends with a sentence", good, problem);
    report.finish();
}
