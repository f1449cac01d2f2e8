//! The machine, and how much of it others took meanwhile.

use std::{fs, thread::available_parallelism, time::Instant};

use serde::Serialize;

/// What a run should be read with.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// Processors.
    pub cores: usize,
    /// The kernel's release.
    pub kernel: String,
    /// Processors that were busy with something, on average.
    pub busy_cores: f64,
    /// Processors that were busy with something else than this benchmark, on average; `None` where
    /// the benchmark's own share could not be counted.
    pub others_cores: Option<f64>,
}

/// A clock of the whole machine's CPU time.
#[derive(Debug)]
pub struct Watch {
    begun: Instant,
    busy: f64,
}

impl Watch {
    /// Starts it.
    pub fn start() -> Self {
        Self {
            begun: Instant::now(),
            busy: busy(),
        }
    }

    /// Reads it; `own` is the CPU time that the benchmark itself used since, in seconds.
    pub fn read(&self, own: Option<f64>) -> Machine {
        let elapsed = self.begun.elapsed().as_secs_f64();
        let busy = busy() - self.busy;
        Machine {
            cores: available_parallelism().map_or(1, std::num::NonZero::get),
            kernel: kernel(),
            busy_cores: busy / elapsed,
            others_cores: own.map(|own| (busy - own).max(0.0) / elapsed),
        }
    }
}

fn kernel() -> String {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    release.trim().to_owned()
}

/// Seconds in which processors were neither idle nor waiting.
fn busy() -> f64 {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let fields: Vec<f64> = stat
        .lines()
        .next()
        .into_iter()
        .flat_map(|line| line.split_ascii_whitespace().skip(1))
        .map(|field| field.parse().unwrap_or(0.0))
        .collect();
    // user, nice, system, irq, softirq, steal
    let ticks = [0, 1, 2, 5, 6, 7].map(|index| fields.get(index).copied().unwrap_or(0.0));
    ticks.into_iter().sum::<f64>() / 100.0
}
