//! An environment with what science and data work use: it builds, its zygote imports all of it, and a
//! script for each package comes to the same in warm cells, in cold ones, and in a plain interpreter.
//!
//! It has `jit`, which numba is for. Three of its packages make memory executable while they are imported
//! (a callback of ctypes); without `jit` a zygote may do that before it forks, and a cold cell may not.
//!
//! It takes minutes and more than a gigabyte, so it is left out where nobody asks for it:
//! `make science-test` does.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "in a test, that is how to fail"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use cellblock_tests::{Engine, Program, Report, Server, Setup, eventually, pythons, quoted};
use serde_json::{Value, json};

/// Imported by the zygote: for each package, what its script uses.
const PRELOAD: &str = r#"["numpy", "pandas", "scipy.integrate", "scipy.optimize", "scipy.stats", "sklearn.datasets",
    "sklearn.ensemble", "sklearn.linear_model", "sklearn.model_selection", "sklearn.pipeline", "matplotlib.pyplot",
    "seaborn", "pyarrow.dataset", "pyarrow.parquet", "polars", "duckdb", "statsmodels.api",
    "statsmodels.formula.api", "openpyxl", "xlsxwriter", "lxml.html", "PIL.Image", "sympy", "networkx", "xgboost",
    "lightgbm", "h5py", "numba"]"#;

/// Draws from generators that modules made when they were imported, and from those of libraries.
const DRAWS: &str = "\
import duckdb
import numpy
import polars
import random
import scipy.stats
import sympy.core.random

def main():
    return {
        'numpy': numpy.random.rand(),
        'python': random.random(),
        'scipy': float(scipy.stats.norm.rvs()),
        'sympy': sympy.core.random.rng.random(),
        'sympy.assumptions': sympy.core.random.random(),
        'polars': polars.Series(range(1000)).shuffle().to_list()[:9],
        'duckdb': duckdb.sql('select random()').fetchall()[0][0],
    }
";

/// What works without `jit` in warm cells, and what the same says in cold ones.
const WARM_ONLY: [&str; 2] = ["lightgbm", "xgboost"];

/// For a zygote that imports all of it from a slow disk, on a machine that does other things as well.
const START: Duration = Duration::from_mins(10);

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/science/scripts")
}

/// The scripts, by the name of their package.
fn scripts() -> Vec<(String, String)> {
    let entries = fs::read_dir(here()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut scripts: Vec<_> = paths
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect();
    scripts.sort();
    scripts
}

fn setup(engine: Engine, jit: bool) -> Setup {
    let python = pythons().pop().unwrap();
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("../requirements/science.txt");
    let requirements = requirements.canonicalize().unwrap();
    let path = |path: &Path| quoted(path.to_str().unwrap());
    Setup::new(engine, &python)
        .set("pool", "start_seconds", START.as_secs())
        .set("environments.default", "requirements", "\"none\"")
        .set("environments.default", "preload", "[]")
        .set("environments.science", "interpreter", path(&python))
        .set("environments.science", "requirements", path(&requirements))
        .set(
            "environments.science",
            "preload",
            PRELOAD.replace('\n', " "),
        )
        .set("environments.science", "jit", jit)
        .set("limits", "default_memory_mb", 1024)
        .set("limits", "default_timeout_ms", 60_000)
}

/// Runs a script with a plain interpreter and the packages of the environment: what comes of it.
fn run_plainly(packages: &str, script: &str) -> Value {
    let directory = tempfile::tempdir().unwrap();
    let code = format!(
        "import json, sys\nsys.path.append({})\nspace = {{'__name__': 'script'}}\n\
         exec(sys.stdin.read(), space)\nprint(json.dumps(space['main']()))",
        quoted(packages)
    );
    let file = directory.path().join("script");
    fs::write(&file, script).unwrap();
    let output = Command::new(pythons().pop().unwrap())
        .args(["-I", "-S", "-c", &code])
        .current_dir(directory.path())
        .env("MPLBACKEND", "Agg")
        .stdin(fs::File::open(&file).unwrap())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let last = said.lines().last().unwrap_or_default();
    serde_json::from_str(last)
        .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// Builds the environment, and says where its packages lie.
fn packages(setup: &Setup) -> String {
    let directory = setup.prepare();
    let built = Program::find().run(&["env", "build", "science"], directory.path(), "");
    assert_eq!(built.code, Some(0), "{built:?}");
    assert!(!built.stderr.contains("WARNING"), "{built:?}");
    let root = built.stdout.trim_end().rsplit_once(" in ");
    format!("{}/packages", root.expect("the image's path").1)
}

fn is_ready(server: &Server) -> bool {
    let health = server.client().get("/health").json();
    let environments = health["environments"].as_array().unwrap();
    environments.iter().all(|it| it["state"] == "ready")
}

fn run(server: &Server, script: &str) -> Value {
    let body = json!({ "script": script, "environment": "science" }).to_string();
    let answer = server.client().post("/v1/executions", body.as_bytes());
    answer.json()
}

#[test]
fn each_package_works_warm_and_cold() {
    let mut report = Report::default();
    report.enter("science".to_owned());
    let scripts = scripts();
    report.check("there are scripts", scripts.len() >= 18, scripts.len());
    let packages = packages(&setup(Engine::Warm, true));
    let plain: Vec<_> = scripts
        .iter()
        .map(|(_, script)| run_plainly(&packages, script))
        .collect();
    for engine in [Engine::Warm, Engine::Cold] {
        let server = start(engine, true, &mut report);
        for ((name, script), plain) in scripts.iter().zip(&plain) {
            let record = run(&server, script);
            let good = record["status"] == "succeeded" && record["result"] == *plain;
            let seen = format!("{record}, and plainly {plain}");
            report.check(format!("{name}, {engine}"), good, seen);
        }
        if engine == Engine::Warm {
            draw(&server, &mut report);
        }
        server.stop(&mut report);
    }
    without_jit(&scripts, &mut report);
    report.finish();
}

fn start(engine: Engine, jit: bool, report: &mut Report) -> Server {
    let server = setup(engine, jit).start();
    let ready = eventually(START, || is_ready(&server));
    report.check(format!("{engine}, jit {jit}, ready"), ready, server.log());
    server
}

/// No two cells draw the same.
fn draw(server: &Server, report: &mut Report) {
    let (one, other) = (run(server, DRAWS), run(server, DRAWS));
    let drawn = one["result"].as_object().cloned().unwrap_or_default();
    report.check("draws", drawn.len() == 7, &one);
    for (name, value) in drawn {
        let differs = other["result"][&name] != value;
        report.check(format!("{name} draws anew in each cell"), differs, &value);
    }
}

fn without_jit(scripts: &[(String, String)], report: &mut Report) {
    for engine in [Engine::Warm, Engine::Cold] {
        let server = start(engine, false, report);
        let of_these = |name: &str| WARM_ONLY.contains(&name);
        for (name, script) in scripts.iter().filter(|(name, _)| of_these(name)) {
            let record = run(&server, script);
            let good = (record["status"] == "succeeded") == (engine == Engine::Warm);
            report.check(format!("{name}, {engine}, without jit"), good, record);
        }
        server.stop(report);
    }
}
