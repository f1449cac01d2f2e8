//! The goals, as data.

use serde::Serialize;

use crate::{
    measure::{
        PACED,
        System::{Bare, Cold, Warm},
        closed,
    },
    report::{Report, Round},
    scripts::IMPORTS,
    stats::{median, range},
};

/// Which side of a limit is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    AtMost,
    AtLeast,
    /// None is: it is told to explain the others.
    None,
}

struct Goal {
    name: &'static str,
    bound: Bound,
    limit: f64,
    unit: &'static str,
    /// What was measured, once per round or more often; the median is judged.
    measured: fn(&Report) -> Vec<f64>,
}

const GOALS: [Goal; 9] = [
    Goal {
        name: "p50, 1 client with pauses, against a bare fork's p50",
        bound: Bound::AtMost,
        limit: 0.2,
        unit: "x",
        measured: |report| report.ratios(IMPORTS.name, ((Warm, PACED), p50), ((Bare, PACED), p50)),
    },
    Goal {
        name: "p99, 1 client with pauses, against a bare fork's p50",
        bound: Bound::AtMost,
        limit: 1.0,
        unit: "x",
        measured: |report| report.ratios(IMPORTS.name, ((Warm, PACED), p99), ((Bare, PACED), p50)),
    },
    Goal {
        name: "throughput, 8 clients, against two loops of bare forks",
        bound: Bound::AtLeast,
        limit: 0.8,
        unit: "x",
        measured: |report| {
            report.ratios(
                IMPORTS.name,
                ((Warm, closed(8)), rate),
                ((Bare, closed(2)), rate),
            )
        },
    },
    Goal {
        name: "throughput, 8 clients, against the cold engine",
        bound: Bound::AtLeast,
        limit: 100.0,
        unit: "x",
        measured: |report| {
            report.ratios(
                IMPORTS.name,
                ((Warm, closed(8)), rate),
                ((Cold, closed(8)), rate),
            )
        },
    },
    Goal {
        name: "an idle cell's own memory",
        bound: Bound::AtMost,
        limit: 4.0,
        unit: "MB",
        measured: |report| report.idle.iter().map(|idle| idle.cell_mb).collect(),
    },
    Goal {
        name: "from start to ready",
        bound: Bound::AtMost,
        limit: 2.0,
        unit: "s",
        measured: |report| report.start_s.clone(),
    },
    Goal {
        name: "20 000 runs, 64 clients: errors and growths",
        bound: Bound::AtMost,
        limit: 0.0,
        unit: "",
        measured: |report| {
            report
                .stability
                .iter()
                .map(|found| f64::from(found.misses()))
                .collect()
        },
    },
    Goal {
        name: "CPU time per run, 8 clients, against a bare fork's",
        bound: Bound::None,
        limit: 0.0,
        unit: "x",
        measured: |report| {
            report.ratios(
                IMPORTS.name,
                ((Warm, closed(8)), cpu),
                ((Bare, closed(2)), cpu),
            )
        },
    },
    Goal {
        name: "p50, 1 client without pauses, against a bare fork's p50",
        bound: Bound::None,
        limit: 0.0,
        unit: "x",
        measured: |report| {
            report.ratios(
                IMPORTS.name,
                ((Warm, closed(1)), p50),
                ((Bare, closed(1)), p50),
            )
        },
    },
];

fn p50(round: &Round) -> f64 {
    round.p50_ms
}

fn p99(round: &Round) -> f64 {
    round.p99_ms
}

fn cpu(round: &Round) -> f64 {
    round.cpu_ms.unwrap_or(f64::NAN)
}

fn rate(round: &Round) -> f64 {
    round.runs_per_s
}

/// Whether a goal was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It was.
    Met,
    /// It was not.
    Missed,
    /// Nobody looked.
    NotMeasured,
    /// It is no goal.
    Information,
}

/// A goal and what was measured.
#[derive(Debug, Clone, Serialize)]
pub struct Verdict {
    /// What it is about.
    pub name: &'static str,
    /// The goal in words.
    pub goal: String,
    /// The median; `None` where it was not measured.
    pub measured: Option<f64>,
    /// The least and the greatest.
    pub range: Option<(f64, f64)>,
    /// Of the figures.
    pub unit: &'static str,
    /// Whether it was met.
    pub standing: Standing,
}

/// Judges a report by all goals.
pub fn judge(report: &Report) -> Vec<Verdict> {
    let judged = GOALS
        .iter()
        .map(|goal| goal.judge(&(goal.measured)(report)));
    judged.collect()
}

impl Goal {
    fn judge(&self, measured: &[f64]) -> Verdict {
        let middle = Some(median(measured)).filter(|value| value.is_finite());
        let (words, met) = match self.bound {
            Bound::AtMost => ("at most", middle.map(|value| value <= self.limit)),
            Bound::AtLeast => ("at least", middle.map(|value| value >= self.limit)),
            Bound::None => ("", None),
        };
        let goal = if self.bound == Bound::None {
            String::new()
        } else {
            format!("{words} {} {}", self.limit, self.unit)
        };
        Verdict {
            name: self.name,
            goal: goal.trim_end().to_owned(),
            measured: middle,
            range: middle.map(|_| range(measured)),
            unit: self.unit,
            standing: match met {
                _ if self.bound == Bound::None => Standing::Information,
                Some(true) => Standing::Met,
                Some(false) => Standing::Missed,
                None => Standing::NotMeasured,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_judged() {
        let (latency, stability) = (&GOALS[0], &GOALS[6]);
        assert_eq!(latency.judge(&[0.1, 0.15, 0.9]).standing, Standing::Met);
        assert_eq!(latency.judge(&[0.1, 0.3, 0.9]).standing, Standing::Missed);
        assert_eq!(stability.judge(&[]).standing, Standing::NotMeasured);
        assert_eq!(stability.judge(&[0.0]).goal, "at most 0");
    }
}
