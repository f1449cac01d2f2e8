//! The measure: a script run by plain Python, with the packages of the environment `default`.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use cellblock_tests::{built_environment, eventually};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    outcome::Outcome,
    table::{self, Script},
};

/// No script of the corpus takes longer.
const HANG: Duration = Duration::from_mins(1);
/// The variables of every cell that a script may ask for; `HOME` and `TMPDIR` are its directory.
const VARIABLES: [(&str, &str); 6] = [
    ("LANG", "C.UTF-8"),
    ("LC_ALL", "C.UTF-8"),
    ("OMP_NUM_THREADS", "1"),
    ("OPENBLAS_NUM_THREADS", "1"),
    ("TZ", "UTC"),
    ("USER", "cell"),
];

/// An interpreter with the packages that cells of it have.
pub(crate) struct Plain {
    python: PathBuf,
    packages: PathBuf,
}

impl Plain {
    /// Of this interpreter, whose environment has been built.
    pub(crate) fn new(python: &Path) -> Self {
        let environment = built_environment(python).expect("a built environment");
        Self {
            python: python.to_owned(),
            packages: environment.join("root/packages"),
        }
    }

    /// Runs a script to its end, in an empty directory of its own.
    pub(crate) fn run(&self, script: &Script) -> Outcome {
        let place = tempfile::tempdir().expect("a temporary directory");
        let inside = |name: &str| place.path().join(name);
        let (home, source) = (inside("home"), inside("source"));
        for directory in [&home, &source] {
            fs::create_dir(directory).expect("a directory");
        }
        fs::write(source.join("script.py"), &script.source).expect("written");
        fs::write(inside("stdin"), &script.stdin).expect("written");
        let mut job = script.job();
        job["directory"] = json!(source);
        job["packages"] = json!(self.packages);
        fs::write(inside("job"), job.to_string()).expect("written");
        let open = |name: &str| File::open(inside(name)).expect("opened");
        let create = |name: &str| File::create(inside(name)).expect("created");
        let mut child = Command::new(&self.python)
            .args(["-I", "-B"])
            .args([
                table::directory().join("plain.py"),
                inside("job"),
                inside("answer"),
            ])
            .current_dir(&home)
            .env_clear()
            .envs(VARIABLES)
            .envs([("HOME", &home), ("TMPDIR", &home)])
            .envs(&script.env)
            .stdin(Stdio::from(open("stdin")))
            .stdout(create("stdout"))
            .stderr(create("stderr"))
            .spawn()
            .expect("Python starts");
        let ended = eventually(HANG, || child.try_wait().expect("our child").is_some());
        if !ended {
            child.kill().expect("killed");
            child.wait().expect("ended");
        }
        Outcome::new(
            &answer(&place, ended),
            read(&inside("stdout")),
            files(&home),
        )
    }
}

/// What the driver wrote, or what became of it where it could not.
fn answer(place: &TempDir, ended: bool) -> Value {
    if !ended {
        return json!({"error": {"type": "timeout"}});
    }
    let text = read(&place.path().join("answer"));
    serde_json::from_str(&text).unwrap_or_else(|_| {
        let stderr = read(&place.path().join("stderr"));
        json!({"error": {"type": "ended", "message": stderr}})
    })
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

/// The regular files below a directory, in base64, by path.
fn files(home: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut directories = vec![home.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).expect("a directory").flatten() {
            let (path, kind) = (entry.path(), entry.file_type().expect("a type"));
            if kind.is_dir() {
                directories.push(path);
            } else if kind.is_file() {
                let name = path.strip_prefix(home).expect("below it");
                let content = BASE64_STANDARD.encode(fs::read(&path).expect("a file"));
                found.insert(name.display().to_string(), content);
            }
        }
    }
    found
}
