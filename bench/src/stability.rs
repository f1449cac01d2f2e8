//! Whether a server stays as it was: what it holds before and after many runs.

use std::fmt;

use anyhow::{Result, ensure};
use hyper::Method;
use serde::Serialize;

use crate::{
    client,
    group::Group,
    idle::settle,
    load::{self, Until},
    proc,
    scripts::IMPORTS,
    server::{Server, Setup},
};

const CLIENTS: usize = 64;
/// Runs before the first look: buffers and pools have grown to their size by then.
const WARM_UP: usize = 2000;

/// How much more of something there may be afterwards.
#[derive(Debug, Clone, Copy)]
struct Slack {
    share: f64,
    plus: f64,
}

/// Pools differ by a few at any time.
const COUNT: Slack = Slack {
    share: 0.0,
    plus: 8.0,
};
const NONE: Slack = Slack {
    share: 0.0,
    plus: 0.0,
};
const MEMORY: Slack = Slack {
    share: 0.1,
    plus: 4.0,
};

/// One thing, before and after.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// What.
    pub name: &'static str,
    /// Before.
    pub before: f64,
    /// After.
    pub after: f64,
    /// Not more than it may be.
    pub flat: bool,
}

/// What a server holds.
#[derive(Debug, Clone)]
pub struct Snapshot(Vec<(&'static str, f64, Slack)>);

/// What a long run came to.
#[derive(Debug, Clone, Serialize)]
pub struct Stability {
    /// Runs that were answered as they should be.
    pub runs: usize,
    /// Runs that were not.
    pub wrong: usize,
    /// What was wrong: the first few.
    pub faults: Vec<String>,
    /// Throughput.
    pub runs_per_s: f64,
    /// What the server holds.
    pub rows: Vec<Row>,
}

impl Stability {
    /// How many things are not as they should be.
    pub fn misses(&self) -> u32 {
        let grown = self.rows.iter().filter(|row| !row.flat).count();
        u32::try_from(self.wrong + grown).unwrap_or(u32::MAX)
    }
}

impl Snapshot {
    /// Looks, once the server has come to rest.
    pub fn take(server: &Server) -> Result<Self> {
        settle(server)?;
        let pid = server.pid();
        let (tree, zygotes) = (proc::tree(pid), proc::zygotes(pid));
        let zombies = tree.iter().filter(|process| process.state == 'Z').count();
        let sum = |count: &dyn Fn(u32) -> usize| zygotes.iter().map(|zygote| count(*zygote)).sum();
        let megabytes = |pids: &[u32], file: &str, field: &str| {
            let sizes = pids
                .iter()
                .filter_map(|pid| proc::kilobytes(*pid, file, field));
            crate::stats::megabytes(sizes.sum())
        };
        let count = |count: usize| crate::stats::float(count);
        let mut found = vec![
            ("processes", count(tree.len()), COUNT),
            ("zombies", count(zombies), NONE),
            (
                "server: descriptors",
                count(proc::entries(pid, "fd")),
                COUNT,
            ),
            ("server: threads", count(proc::entries(pid, "task")), COUNT),
            ("server: mounts", count(proc::mounts(pid)), NONE),
            (
                "server: memory, MB",
                megabytes(&[pid], "status", "RssAnon"),
                MEMORY,
            ),
            (
                "zygote: descriptors",
                count(sum(&|zygote| proc::entries(zygote, "fd"))),
                COUNT,
            ),
            ("zygote: mounts", count(sum(&proc::mounts)), NONE),
            (
                "zygote: memory, MB",
                megabytes(&zygotes, "status", "RssAnon"),
                MEMORY,
            ),
            (
                "zygote: page tables, MB",
                megabytes(&zygotes, "status", "VmPTE"),
                MEMORY,
            ),
            (
                "control groups",
                count(proc::groups(pid)),
                Slack {
                    share: 0.25,
                    plus: 8.0,
                },
            ),
        ];
        if let Some(memory) = server.group.as_ref().and_then(Group::memory) {
            let kernel = crate::stats::megabytes(memory.kernel);
            found.push((
                "all: kernel memory, MB",
                kernel,
                Slack {
                    share: 0.25,
                    plus: 8.0,
                },
            ));
            let pages = crate::stats::megabytes(memory.rss);
            found.push((
                "all: memory, MB",
                pages,
                Slack {
                    share: 0.1,
                    plus: 16.0,
                },
            ));
        }
        Ok(Self(found))
    }

    /// Compares with a later one.
    pub fn compare(&self, later: &Self) -> Vec<Row> {
        let pairs = self.0.iter().zip(&later.0);
        let rows = pairs.map(|((name, before, slack), (_, after, _))| Row {
            name,
            before: *before,
            after: *after,
            flat: *after <= before * (1.0 + slack.share) + slack.plus,
        });
        rows.collect()
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.flat { "flat" } else { "GROWN" };
        write!(
            f,
            "{:<26} {:>10.1} {:>10.1}  {verdict}",
            self.name, self.before, self.after
        )
    }
}

/// Runs a script that many times on a server of its own.
pub fn check(logs: &std::path::Path, runs: usize) -> Result<Stability> {
    let server = Setup::new("warm", "stability", logs)?
        .grouped(true)
        .start()?;
    let body = IMPORTS.body();
    let (_, answer) = client::once(
        server.address,
        Method::POST,
        "/execute",
        body.clone().into(),
    )?;
    ensure!(IMPORTS.is_answered_by(&answer), "the first run failed");
    let order = load::Order {
        address: server.address,
        method: Method::POST,
        path: "/execute",
        body: body.into(),
        expected: Some(answer.into()),
        clients: CLIENTS,
        think: std::time::Duration::ZERO,
    };
    load::run(&order, Until::Count(WARM_UP))?;
    let before = Snapshot::take(&server)?;
    let load = load::run(&order, Until::Count(runs))?;
    let after = Snapshot::take(&server)?;
    let rows = before.compare(&after);
    server.stop()?;
    Ok(Stability {
        runs: load.latencies.len(),
        wrong: load.wrong,
        faults: load.faults,
        runs_per_s: crate::stats::float(load.latencies.len()) / load.elapsed.as_secs_f64(),
        rows,
    })
}
