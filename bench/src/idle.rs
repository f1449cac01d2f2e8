//! What a cell takes that waits: the difference between many of them and few.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use serde::Serialize;

use crate::{
    group::Group,
    proc,
    server::{Server, Setup},
    stats::megabytes,
};

/// Cells in the smaller pool; the larger has four times as many.
const FEW: u32 = 8;
const SETTLE: Duration = Duration::from_mins(1);
/// This long without a change is quiet.
const QUIET: Duration = Duration::from_millis(700);

/// Marginal memory of one idle cell, in MB of a million bytes.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Idle {
    /// All of it.
    pub cell_mb: f64,
    /// Pages that it alone has: proportional set sizes summed over every process.
    pub pages_mb: f64,
    /// Its page tables, as its processes report them.
    pub page_tables_mb: f64,
    /// What the kernel holds for it, page tables included, where a control group tells.
    pub kernel_mb: Option<f64>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    pages: u64,
    page_tables: u64,
    kernel: Option<u64>,
}

/// Measures it.
pub fn measure(logs: &Path) -> Result<Idle> {
    let (few, many) = (sum(logs, FEW)?, sum(logs, 4 * FEW)?);
    let each = |few: u64, many: u64| megabytes(many.saturating_sub(few)) / f64::from(3 * FEW);
    let pages_mb = each(few.pages, many.pages);
    let page_tables_mb = each(few.page_tables, many.page_tables);
    let kernel_mb = few
        .kernel
        .zip(many.kernel)
        .map(|(few, many)| each(few, many));
    Ok(Idle {
        cell_mb: pages_mb + kernel_mb.unwrap_or(page_tables_mb),
        pages_mb,
        page_tables_mb,
        kernel_mb,
    })
}

fn sum(logs: &Path, cells: u32) -> Result<Sum> {
    let server = Setup::new("warm", &format!("idle-{cells}"), logs)?
        .with("CELLBLOCK_WARM_CELLS", &cells.to_string())
        .grouped(true)
        .start()?;
    settle(&server)?;
    let tree = proc::tree(server.pid());
    ensure!(
        tree.len() > cells as usize,
        "{cells} cells in {} processes",
        tree.len()
    );
    let memory = server.group.as_ref().and_then(Group::memory);
    let mut sum = Sum {
        kernel: memory.map(|memory| memory.kernel),
        ..Sum::default()
    };
    for process in tree {
        sum.pages += proc::kilobytes(process.pid, "smaps_rollup", "Pss").unwrap_or(0);
        sum.page_tables += proc::kilobytes(process.pid, "status", "VmPTE").unwrap_or(0);
    }
    server.stop()?;
    Ok(sum)
}

/// Waits until the number of processes below a server stays the same, with no zombie among them.
pub fn settle(server: &Server) -> Result<()> {
    let begun = Instant::now();
    let (mut last, mut since) = (Vec::new(), Instant::now());
    while since.elapsed() < QUIET {
        ensure!(begun.elapsed() < SETTLE, "the server does not come to rest");
        std::thread::sleep(Duration::from_millis(50));
        let mut now: Vec<u32> = proc::tree(server.pid())
            .iter()
            .map(|found| found.pid)
            .collect();
        now.sort_unstable();
        if now != last {
            (last, since) = (now, Instant::now());
        }
    }
    Ok(())
}
