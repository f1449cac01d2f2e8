//! `make bench`: see `docs/performance.md`.

use std::{
    env, fs,
    path::Path,
    process::ExitCode,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::Result;
use bytes::Bytes;
use cellblock_bench::{
    goals, idle,
    load::{self, Until},
    machine::Watch,
    measure::{Arena, percentiles},
    plot,
    profile::{self, Profile},
    report::{Figures, Overhead, Report},
    results::{self, RESULTS},
    scripts,
    server::{self, Server, Setup},
    stability,
    stats::float,
    table,
    terminal::{self, say},
};
use hyper::Method;

fn main() -> ExitCode {
    terminal::exit_code(bench().map(|()| true))
}

fn bench() -> Result<()> {
    let results = results::directory()?;
    let report = run(profile(), results)?;
    fs::write(
        results.join("latest.json"),
        serde_json::to_vec_pretty(&report)?,
    )?;
    fs::write(results.join("latest.svg"), plot::draw(&report))?;
    say(table::show(&report));
    say(format!(
        "written: {RESULTS}/latest.json, {RESULTS}/latest.svg"
    ));
    Ok(())
}

fn profile() -> Profile {
    let is_set = |name| env::var(name).is_ok_and(|value| !value.is_empty() && value != "0");
    match (is_set("QUICK"), is_set("FULL")) {
        (_, true) => profile::FULL,
        (true, false) => profile::QUICK,
        (false, false) => profile::DEFAULT,
    }
}

fn run(profile: Profile, results: &Path) -> Result<Report> {
    let root = server::environment_root()?;
    let watch = Watch::start();
    say("==> timing the start");
    let start_s = starts(profile, results)?;
    say("==> starting what is compared");
    let mut arena = Arena::start(&root, results, profile)?;
    let client = [1, 64].map(|clients| overhead(arena.warm(), clients, profile));
    let figures = rounds(&mut arena, profile)?;
    let machine = watch.read(arena.cpu());
    arena.stop()?;
    say("==> measuring idle cells");
    let idle = Some(idle::measure(results)?);
    let stability = if profile.stability_runs > 0 {
        say(format!("==> {} runs in a row", profile.stability_runs));
        Some(stability::check(results, profile.stability_runs)?)
    } else {
        None
    };
    let mut report = Report {
        command: command(profile),
        at: SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs(),
        machine,
        client: client.into_iter().collect::<Result<_>>()?,
        figures,
        start_s,
        idle,
        stability,
        goals: Vec::new(),
    };
    report.goals = goals::judge(&report);
    Ok(report)
}

fn command(profile: Profile) -> String {
    match profile.name {
        "quick" => "make bench QUICK=1",
        "full" => "make bench FULL=1",
        _ => "make bench",
    }
    .to_owned()
}

fn starts(profile: Profile, results: &Path) -> Result<Vec<f64>> {
    let setup = Setup::new("warm", "start", results)?;
    let mut seconds = Vec::new();
    for _ in 0..profile.starts {
        let server = setup.start()?;
        seconds.push(server.ready_after.as_secs_f64());
        server.stop()?;
    }
    Ok(seconds)
}

fn overhead(server: &Server, clients: usize, profile: Profile) -> Result<Overhead> {
    let order = load::Order {
        address: server.address,
        method: Method::GET,
        path: "/health",
        body: Bytes::new(),
        expected: None,
        clients,
        think: Duration::ZERO,
    };
    let mut load = load::run(&order, Until::Time(profile.window))?;
    let (p50_ms, p99_ms) = percentiles(&mut load.latencies);
    let per_s = float(load.latencies.len()) / load.elapsed.as_secs_f64();
    Ok(Overhead {
        clients,
        p50_ms,
        p99_ms,
        per_s,
    })
}

fn rounds(arena: &mut Arena, profile: Profile) -> Result<Vec<Figures>> {
    let mut measured = Vec::new();
    for script in scripts::ALL {
        arena.rehearse(&script)?;
        for point in arena.points(&script, profile) {
            measured.push((script, point, Vec::new()));
        }
    }
    let begun = Instant::now();
    for round in 0..profile.rounds {
        let each = begun.elapsed() / u32::try_from(round.max(1))?;
        if begun.elapsed() + each > profile.budget && round > 0 {
            say("==> no time for another round");
            break;
        }
        say(format!("==> round {} of {}", round + 1, profile.rounds));
        // There and back, so that a drift within a round evens out over two.
        let count = measured.len();
        for index in 0..count {
            let index = if round % 2 == 0 {
                index
            } else {
                count - 1 - index
            };
            let (script, point, windows) = &mut measured[index];
            windows.push(arena.measure(*point, script, profile)?);
        }
    }
    let figures = measured.into_iter();
    Ok(figures
        .map(|(_, point, windows)| Figures::new(point, windows))
        .collect())
}
