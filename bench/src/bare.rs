//! The limit to compare with: an interpreter that forks for each script, and nothing else.

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

const PROGRAM: &str = include_str!("../bare_fork.py");

/// One such interpreter. It ends when its standard input does.
#[derive(Debug)]
pub struct Bare {
    orders: Option<ChildStdin>,
    reports: BufReader<ChildStdout>,
    child: Child,
}

/// What to do.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Order<'a> {
    /// The script.
    pub script: &'a str,
    /// For how long.
    pub seconds: f64,
    /// How long to wait after each run.
    pub think: f64,
    /// How often, at least.
    pub runs: usize,
}

#[derive(Debug, Deserialize)]
struct Report {
    latencies_ns: Vec<u64>,
    elapsed_ns: u64,
    cpu_s: f64,
    answer: String,
}

/// What it came to.
#[derive(Debug, Clone)]
pub struct Forks {
    /// From before each fork until after its wait.
    pub latencies: Vec<Duration>,
    /// From the first fork to the last wait.
    pub elapsed: Duration,
    /// CPU time of all of it.
    pub cpu: Duration,
    /// The last script's answer, as `POST /execute` would give it.
    pub answer: String,
}

impl Bare {
    /// Starts the interpreter of a built environment, in which the packages are, and waits until
    /// they are imported. `exercise` is run before the first fork.
    pub fn start(root: &Path, exercise: Option<PathBuf>) -> Result<Self> {
        let mut command = Command::new(root.join("python/bin/python3"));
        command
            .args(["-I", "-S", "-B", "-c", PROGRAM])
            .arg(root.join("packages"));
        command.args(exercise).env_clear();
        // As in the wall: the threads of an algebra library would make forks dearer.
        command
            .env("OPENBLAS_NUM_THREADS", "1")
            .env("LANG", "C.UTF-8");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command
            .spawn()
            .context("cannot start the environment's python3")?;
        let reports = child.stdout.take().context("a pipe was asked for")?;
        let mut bare = Self {
            orders: child.stdin.take(),
            reports: BufReader::new(reports),
            child,
        };
        let line = bare.line()?;
        ensure!(line.contains("ready"), "it said {line:?} for a beginning");
        Ok(bare)
    }

    /// Gives an order, without waiting.
    pub fn order(&mut self, order: Order<'_>) -> Result<()> {
        let mut line = serde_json::to_vec(&order)?;
        line.push(b'\n');
        let orders = self.orders.as_mut().context("it has ended")?;
        orders
            .write_all(&line)
            .context("the interpreter that forks has ended")
    }

    /// Waits until the order has been carried out.
    pub fn report(&mut self) -> Result<Forks> {
        let report: Report = serde_json::from_str(&self.line()?)?;
        let latencies = report.latencies_ns.into_iter().map(Duration::from_nanos);
        Ok(Forks {
            latencies: latencies.collect(),
            elapsed: Duration::from_nanos(report.elapsed_ns),
            cpu: Duration::from_secs_f64(report.cpu_s),
            answer: report.answer,
        })
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.reports.read_line(&mut line)?;
        ensure!(!line.is_empty(), "the interpreter that forks has ended");
        Ok(line)
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        drop(self.orders.take());
        let _ = self.child.wait();
    }
}
