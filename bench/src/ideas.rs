//! What each idea is worth: a server with it beside one without it.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use bytes::Bytes;
use cellblock_wire::preparation::Preparation;
use hyper::Method;
use serde::Serialize;

use crate::{
    client, engine,
    measure::{PACED, Point, System, closed, percentiles},
    profile::{Profile, THINK},
    scripts::{self, Script},
    server::{Server, Setup},
    stats::{mean, median},
};

const WITHOUT: &str = "CELLBLOCK_ZYGOTE_WITHOUT";
/// Answers how many page faults its process had before it.
const FAULTS: &str = "\
def main():
    return int(open('/proc/self/stat').read().rpartition(')')[2].split()[7])
";
/// How many answers of that, of which the middle one counts.
const ASKED: usize = 15;
/// Clients that load a server.
const CLIENTS: usize = 8;

/// A server that differs from the usual one in one thing.
#[derive(Debug, Clone)]
pub struct Idea {
    /// What differs, for a table.
    pub name: String,
    change: Change,
}

#[derive(Debug, Clone)]
enum Change {
    Setting {
        variable: &'static str,
        value: String,
    },
    Program(PathBuf),
}

/// What a server with another setting came to, as parts of what the usual one came to beside it.
#[derive(Debug, Clone, Serialize)]
pub struct Worth {
    /// What differs.
    pub name: String,
    /// Page faults of a cell before its first line; not a ratio.
    pub faults: f64,
    /// CPU time per run, at 8 clients.
    pub cpu: Ratio,
    /// Runs in a second, at 8 clients.
    pub rate: Ratio,
    /// The median latency of one client with pauses.
    pub p50: Ratio,
}

/// Of several windows, each beside one of the usual server's.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Ratio {
    /// Their mean.
    pub mean: f64,
    /// Its standard error.
    pub error: f64,
}

/// Every idea that a setting can take away, or bring. What the usual server is told to leave out, the
/// others leave out too.
pub fn all() -> Vec<Idea> {
    let usual = env::var(WITHOUT).unwrap_or_default();
    let with = |name: &str, variable, value: &str| Idea {
        name: name.to_owned(),
        change: Change::Setting {
            variable,
            value: value.to_owned(),
        },
    };
    let without = |name: &str, value: &str| with(name, WITHOUT, &format!("{usual},{value}"));
    let names = Preparation::ALL.map(Preparation::name);
    let mut ideas = vec![without("nothing", "")];
    ideas.extend(names.map(|name| without(&format!("without {name}"), name)));
    ideas.push(without("without all of these", &names.join(",")));
    ideas.push(with(
        "without the layer private_root",
        "CELLBLOCK_WITHOUT",
        "private_root",
    ));
    ideas.push(with("two zygotes", "CELLBLOCK_ZYGOTES", "2"));
    ideas.push(with(
        "one uid for all cells",
        "CELLBLOCK_WITHOUT",
        "own_user",
    ));
    ideas.push(with("twice the ready cells", "CELLBLOCK_WARM_CELLS", "8"));
    ideas.push(with("twice the places", "CELLBLOCK_MAX_RUNNING", "8"));
    ideas.push(with(
        "one thread of the server",
        "TOKIO_WORKER_THREADS",
        "1",
    ));
    ideas
}

/// Another build of the server. Its libcellblock_zygote.so lies beside it.
pub fn build(program: PathBuf) -> Idea {
    Idea {
        name: "the other build".to_owned(),
        change: Change::Program(program),
    }
}

/// Measures the idea beside `usual`, in turns, `rounds` times.
pub fn measure(idea: &Idea, usual: &Server, logs: &Path, profile: Profile) -> Result<Worth> {
    let setup = Setup::new("warm", "idea", logs)?.grouped(false);
    let server = match &idea.change {
        Change::Setting { variable, value } => setup.with(variable, value),
        Change::Program(path) => setup.program(path),
    }
    .start()?;
    let faults = faults(&server)?;
    let (mut cpu, mut rate, mut p50) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..profile.rounds {
        // There and back, so that a drift evens out over two.
        let (with, without) = if round % 2 == 0 {
            let with = look(&server, profile)?;
            (with, look(usual, profile)?)
        } else {
            let without = look(usual, profile)?;
            (look(&server, profile)?, without)
        };
        cpu.push(with.cpu_ms / without.cpu_ms);
        rate.push(with.runs_per_s / without.runs_per_s);
        p50.push(with.p50_ms / without.p50_ms);
    }
    server.stop()?;
    Ok(Worth {
        name: idea.name.clone(),
        faults,
        cpu: Ratio::of(&cpu),
        rate: Ratio::of(&rate),
        p50: Ratio::of(&p50),
    })
}

/// The table of all.
pub fn show(all: &[Worth]) -> String {
    let head = format!(
        "{:<30} {:>8} {:>16} {:>16} {:>16}\n",
        "differs by", "faults", "CPU per run", "runs/s", "p50 with pauses"
    );
    let rows = all.iter().map(|worth| {
        let Worth {
            name,
            faults,
            cpu,
            rate,
            p50,
        } = worth;
        format!("{name:<30} {faults:>8.0} {cpu:>16} {rate:>16} {p50:>16}\n")
    });
    std::iter::once(head).chain(rows).collect()
}

/// One look at a server.
struct Look {
    cpu_ms: f64,
    runs_per_s: f64,
    p50_ms: f64,
}

fn look(server: &Server, profile: Profile) -> Result<Look> {
    let window = |crowd| {
        let point = Point {
            system: System::Warm,
            script: scripts::IMPORTS.name,
            crowd,
        };
        engine::measure(server, point, &scripts::IMPORTS, profile)
    };
    let mut paced = window(PACED)?;
    let busy = window(closed(CLIENTS))?;
    Ok(Look {
        cpu_ms: busy.cpu_ms.context("CPU time cannot be counted here")?,
        runs_per_s: busy.runs_per_s,
        p50_ms: percentiles(&mut paced.latencies).0,
    })
}

fn faults(server: &Server) -> Result<f64> {
    let body = Script {
        name: "faults",
        source: FAULTS,
    }
    .body();
    let mut counts = Vec::new();
    for _ in 0..ASKED {
        let body = Bytes::from(body.clone());
        let (_, answer) = client::once(server.address, Method::POST, "/execute", body)?;
        let answer: serde_json::Value = serde_json::from_slice(&answer)?;
        let count = answer["result"].as_f64();
        counts.push(count.with_context(|| format!("a count of faults, not {answer}"))?);
        std::thread::sleep(THINK);
    }
    Ok(median(&counts))
}

impl Ratio {
    fn of(values: &[f64]) -> Self {
        let (mean, error) = mean(values);
        Self { mean, error }
    }
}

impl std::fmt::Display for Ratio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { mean, error } = self;
        f.pad(&format!("{mean:.2} ± {error:.2}"))
    }
}
