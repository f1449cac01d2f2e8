//! `cellblock run`, `doctor`, `env` and `config`: output and exit codes.

use std::{fs, path::Path};

use cellblock_tests::{Engine, Finished, Program, Report, Setup, dedent, first_python};

#[test]
fn warm() {
    suite(Engine::Warm);
}

#[test]
fn cold() {
    suite(Engine::Cold);
}

/// Each command starts an engine of its own, so one interpreter has to do.
fn suite(engine: Engine) {
    let mut report = Report::default();
    let directory = Setup::new(engine, &first_python()).prepare();
    for (name, script, arguments, stdin, code, stdout, stderr) in RUNS {
        fs::write(directory.path().join("script.py"), dedent(script)).unwrap();
        let arguments: Vec<_> = ["run", "script.py"]
            .iter()
            .chain(*arguments)
            .copied()
            .collect();
        let done = Program::find().run(&arguments, directory.path(), stdin);
        compare(&mut report, name, &done, *code, stdout, stderr);
    }
    others(directory.path(), &mut report);
    report.finish();
}

fn compare(
    report: &mut Report,
    name: &str,
    done: &Finished,
    code: i32,
    stdout: &str,
    stderr: &str,
) {
    report.check(name, done.code == Some(code), format!("{done:?}"));
    report.check(name, done.stdout == stdout, format!("{done:?}"));
    let good = if stderr.is_empty() {
        done.stderr.is_empty()
    } else {
        done.stderr.contains(stderr)
    };
    report.check(name, good, format!("{done:?}"));
}

/// Name, script, arguments, standard input, exit code, standard output, part of standard error.
type Run = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static str,
    i32,
    &'static str,
    &'static str,
);

const RUNS: &[Run] = &[
    (
        "arguments",
        "def main(n, s='x', k=0): return [n, s, k]",
        &["--arg", "n=2", "--arg", "s=plain text"],
        "",
        0,
        "[2,\"plain text\",0]\n",
        "",
    ),
    (
        "a program",
        "print(__name__)\n1 + 1",
        &["--mode", "script"],
        "",
        0,
        "__main__\n2\n",
        "",
    ),
    (
        "a result",
        "def main(): return {'b': 1, 'a': [2]}",
        &[],
        "",
        0,
        "{\"b\":1,\"a\":[2]}\n",
        "",
    ),
    (
        "what is printed comes first",
        "import sys\ndef main():\n    print('out', end='')\n    print('err', file=sys.stderr)\n    return 1",
        &[],
        "",
        0,
        "out\n1\n",
        "err\n",
    ),
    (
        "input",
        "def main(x): return x",
        &["--input", "{\"a\": [1]}"],
        "",
        0,
        "{\"a\":[1]}\n",
        "",
    ),
    (
        "input of a file",
        "def main(x): return len(x)",
        &["--input", "@list.json"],
        "",
        2,
        "",
        "list.json",
    ),
    (
        "stdin",
        "def main(): return input()",
        &["--stdin", "text"],
        "",
        0,
        "\"text\"\n",
        "",
    ),
    (
        "env",
        "import os\ndef main(): return os.environ['A']",
        &["--env", "A=b=c"],
        "",
        0,
        "\"b=c\"\n",
        "",
    ),
    (
        "a failure",
        "def main():\n    print('before')\n    1 / 0",
        &[],
        "",
        1,
        "before\n",
        "ZeroDivisionError: division by zero (line 3)",
    ),
    ("a syntax error", "def main(", &[], "", 1, "", "SyntaxError"),
    ("an exit", "def main(): exit(3)", &[], "", 1, "", "code 3"),
    (
        "a timeout",
        "import time\ndef main(): time.sleep(50)",
        &["--timeout", "0.3"],
        "",
        1,
        "",
        "300 ms",
    ),
    (
        "no JSON",
        "def main(): return {1}",
        &[],
        "",
        1,
        "",
        "list(...)",
    ),
    (
        "bad input",
        "def main(x): return x",
        &["--input", "{"],
        "",
        2,
        "",
        "input",
    ),
    (
        "a limit above its maximum",
        "def main(): pass",
        &["--timeout", "3600"],
        "",
        2,
        "",
        "limits.timeout_ms",
    ),
    (
        "an unknown environment",
        "def main(): pass",
        &["--environment", "gpu"],
        "",
        2,
        "",
        "gpu",
    ),
    (
        "an unknown flag",
        "def main(): pass",
        &["--nosuch"],
        "",
        2,
        "",
        "--nosuch",
    ),
];

fn others(directory: &Path, report: &mut Report) {
    let program = Program::find();
    let run = |arguments: &[&str], stdin: &str| program.run(arguments, directory, stdin);
    let piped = run(&["run", "-"], "def main(): return 'piped'");
    compare(report, "a script from a pipe", &piped, 0, "\"piped\"\n", "");
    compare(
        report,
        "no such script",
        &run(&["run", "nosuch.py"], ""),
        2,
        "",
        "nosuch.py",
    );
    let record = run(
        &["run", "-", "--json"],
        "def main():\n    print('a')\n    return 1",
    );
    let json: serde_json::Value = serde_json::from_str(&record.stdout).unwrap_or_default();
    let good = json["status"] == "succeeded" && json["result"] == 1 && json["stdout"] == "a\n";
    report.check(
        "--json",
        good && record.code == Some(0),
        format!("{record:?}"),
    );
    let used = &json["usage"];
    let memory_is_known = json["isolation"]["cgroup"] == "on";
    let measured = used["cpu_ms"].as_f64().is_some_and(|time| time > 0.0)
        && (used["peak_memory_bytes"].is_u64() || !memory_is_known);
    report.check("--json: what was used", measured, used);
    let record = run(&["run", "-", "--json"], "def main(): 1 / 0");
    let json: serde_json::Value = serde_json::from_str(&record.stdout).unwrap_or_default();
    let good = json["status"] == "failed" && json["error"]["type"] == "exception";
    report.check(
        "--json of a failure",
        good && record.code == Some(1),
        format!("{record:?}"),
    );
    let doctor = run(&["doctor"], "");
    let good = doctor.stdout.contains("seccomp") && matches!(doctor.code, Some(0 | 1));
    report.check("doctor", good, format!("{doctor:?}"));
    let list = run(&["env", "list"], "");
    report.check(
        "env list",
        list.stdout.starts_with("default: "),
        format!("{list:?}"),
    );
    let config = run(&["config"], "");
    report.check(
        "config",
        config.stdout.contains("[limits]"),
        format!("{config:?}"),
    );
    let help = run(&["--help"], "");
    report.check(
        "--help",
        help.code == Some(0) && help.stdout.contains("serve"),
        format!("{help:?}"),
    );
    let nothing = run(&[], "");
    report.check(
        "no command",
        nothing.code == Some(2),
        format!("{nothing:?}"),
    );
}
