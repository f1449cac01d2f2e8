//! What was measured, as data: shown as tables, written as JSON, drawn.

use std::time::Duration;

use serde::Serialize;

use crate::{
    goals::Verdict,
    idle::Idle,
    machine::Machine,
    measure::{Crowd, Point, System, Window, percentiles},
    stability::Stability,
    stats::{float, median, range},
};

/// Everything.
#[derive(Debug, Serialize)]
pub struct Report {
    /// What was typed.
    pub command: String,
    /// When, in seconds since 1970.
    pub at: u64,
    /// The machine.
    pub machine: Machine,
    /// What the client itself costs: `GET /health` from the same client.
    pub client: Vec<Overhead>,
    /// The measurements.
    pub figures: Vec<Figures>,
    /// Seconds from start to ready, each time.
    pub start_s: Vec<f64>,
    /// What an idle cell takes.
    pub idle: Option<Idle>,
    /// The long run.
    pub stability: Option<Stability>,
    /// The goals.
    pub goals: Vec<Verdict>,
}

/// Requests that run nothing.
#[derive(Debug, Clone, Serialize)]
pub struct Overhead {
    /// Clients.
    pub clients: usize,
    /// Median latency.
    pub p50_ms: f64,
    /// 99th percentile.
    pub p99_ms: f64,
    /// Answers in a second.
    pub per_s: f64,
}

/// One point's figures.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    /// Which.
    #[serde(flatten)]
    pub point: Point,
    /// How many runs.
    pub runs: usize,
    /// Median latency, over all rounds.
    pub p50_ms: f64,
    /// 99th percentile, over all rounds.
    pub p99_ms: f64,
    /// Median of the rounds.
    pub runs_per_s: f64,
    /// Median of the rounds; `None` where it was not counted.
    pub cpu_ms: Option<f64>,
    /// Each round by itself.
    pub rounds: Vec<Round>,
}

/// A quantity of a system asked by some clients.
pub type Series = ((System, Crowd), fn(&Round) -> f64);

/// One round of a point.
#[derive(Debug, Clone, Serialize)]
pub struct Round {
    /// Median latency.
    pub p50_ms: f64,
    /// 99th percentile.
    pub p99_ms: f64,
    /// Throughput.
    pub runs_per_s: f64,
    /// CPU time per run.
    pub cpu_ms: Option<f64>,
}

impl Figures {
    /// Sums up a point's windows.
    pub fn new(point: Point, windows: Vec<Window>) -> Self {
        let mut all: Vec<Duration> = Vec::new();
        let mut rounds = Vec::new();
        for mut window in windows {
            let (p50_ms, p99_ms) = percentiles(&mut window.latencies);
            rounds.push(Round {
                p50_ms,
                p99_ms,
                runs_per_s: window.runs_per_s,
                cpu_ms: window.cpu_ms,
            });
            all.extend(window.latencies);
        }
        let (p50_ms, p99_ms) = percentiles(&mut all);
        let cpu: Vec<f64> = rounds.iter().filter_map(|round| round.cpu_ms).collect();
        let rates: Vec<f64> = rounds.iter().map(|round| round.runs_per_s).collect();
        Self {
            point,
            runs: all.len(),
            p50_ms,
            p99_ms,
            runs_per_s: median(&rates),
            cpu_ms: (!cpu.is_empty()).then(|| median(&cpu)),
            rounds,
        }
    }

    /// How far the rounds' throughputs lie apart, as a share of their median.
    pub fn spread(&self) -> f64 {
        let rates: Vec<f64> = self.rounds.iter().map(|round| round.runs_per_s).collect();
        let (least, greatest) = range(&rates);
        (greatest - least) / self.runs_per_s
    }
}

impl Report {
    /// One point's figures.
    pub fn find(&self, system: System, script: &str, crowd: Crowd) -> Option<&Figures> {
        self.figures.iter().find(|figures| {
            let point = figures.point;
            point.system == system && point.script == script && point.crowd == crowd
        })
    }

    /// The rounds' ratios between a quantity of one point and one of another.
    pub fn ratios(
        &self,
        script: &str,
        (upper, of_upper): Series,
        (lower, of_lower): Series,
    ) -> Vec<f64> {
        let rounds = |(system, crowd)| {
            let figures = self.find(system, script, crowd);
            figures.map_or(&[][..], |figures| &figures.rounds)
        };
        let pairs = rounds(upper).iter().zip(rounds(lower));
        pairs
            .map(|(upper, lower)| of_upper(upper) / of_lower(lower))
            .collect()
    }

    /// The median of the spreads: how noisy the run was.
    pub fn noise(&self) -> f64 {
        let many = self
            .figures
            .iter()
            .filter(|figures| figures.rounds.len() > 1);
        let few_runs = |figures: &&Figures| float(figures.runs) < 100.0;
        let spreads: Vec<f64> = many
            .filter(|figures| !few_runs(figures))
            .map(Figures::spread)
            .collect();
        median(&spreads)
    }
}
