//! What came of a soak.

use std::{collections::HashSet, fmt::Write, time::Duration};

use super::{cases::Kind, deck};
use crate::stats::{millis, percentile};

/// Faults that are kept to be shown.
const KEPT: usize = 20;

/// The answers so far.
#[derive(Debug, Default)]
pub struct Tally {
    rows: Vec<Row>,
    faults: Vec<String>,
    /// What had to be new.
    pub seen: HashSet<String>,
}

#[derive(Debug, Clone, Default)]
struct Row {
    latencies: Vec<Duration>,
    unexpected: u64,
}

impl Tally {
    /// Nothing yet, of this many cases.
    pub fn new(cases: usize) -> Self {
        Self {
            rows: vec![Row::default(); cases],
            ..Self::default()
        }
    }

    /// Notes what came of a case.
    pub fn note(&mut self, case: usize, took: Duration, fault: Option<String>) {
        let row = &mut self.rows[case];
        row.latencies.push(took);
        if let Some(fault) = fault {
            row.unexpected += 1;
            if self.faults.len() < KEPT {
                self.faults
                    .push(format!("{}: {fault}", deck::all()[case].name));
            }
        }
    }

    /// How many were sent.
    pub fn requests(&self) -> u64 {
        self.rows.iter().map(|row| row.latencies.len() as u64).sum()
    }

    /// How many were not answered as they should be.
    pub fn unexpected(&self) -> u64 {
        self.rows.iter().map(|row| row.unexpected).sum()
    }

    /// The table.
    pub fn show(&self) -> String {
        let mut text = format!(
            "{:<10}{:<20} {:>9} {:>11} {:>10} {:>10}\n",
            "", "", "requests", "unexpected", "p50 ms", "p99 ms"
        );
        for (case, row) in deck::all().iter().zip(&self.rows) {
            let kind = match case.kind {
                Kind::Honest => "honest",
                Kind::Failing => "failing",
                Kind::Hostile => "hostile",
            };
            let mut latencies = row.latencies.clone();
            let _ = writeln!(
                text,
                "{kind:<10}{:<20} {:>9} {:>11} {:>10.1} {:>10.1}",
                case.name,
                row.latencies.len(),
                row.unexpected,
                millis(percentile(&mut latencies, 0.5)),
                millis(percentile(&mut latencies, 0.99)),
            );
        }
        for fault in &self.faults {
            let _ = writeln!(text, "unexpected: {fault}");
        }
        text
    }
}
