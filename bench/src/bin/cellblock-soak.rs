//! `make soak`: see `docs/performance.md`.

use std::{env, process::ExitCode, time::Duration};

use anyhow::{Context, Result};
use cellblock_bench::{
    results,
    server::Setup,
    soak,
    stability::Snapshot,
    terminal::{self, say},
};

const DURATION: Duration = Duration::from_mins(10);
/// Load before the first look at what the server holds: pools have grown to their size by then.
const LONGEST_WARM_UP: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    terminal::exit_code(soak())
}

fn soak() -> Result<bool> {
    let results = results::directory()?;
    let duration = duration()?;
    let engine = env::var("CELLBLOCK_ENGINE").unwrap_or_else(|_| "warm".to_owned());
    let server = Setup::new(&engine, "soak", results)?
        .grouped(true)
        .start()?;
    say(format!("==> warming up, {engine} engine"));
    let early = soak::run(&server, LONGEST_WARM_UP.min(duration / 4), 1)?;
    let before = Snapshot::take(&server)?;
    say(format!("==> {} s", duration.as_secs()));
    let tally = soak::run(&server, duration, 2)?;
    let after = Snapshot::take(&server)?;
    let faults = server.faults();
    server.stop()?;

    say(format!("\n{}", tally.show()));
    say(format!("{:<26} {:>10} {:>10}", "", "before", "after"));
    let rows = before.compare(&after);
    rows.iter().for_each(say);
    for fault in &faults {
        say(format!("in the log: {fault}"));
    }
    if early.unexpected() > 0 {
        say(format!("while warming up:\n{}", early.show()));
    }
    let unexpected = early.unexpected() + tally.unexpected();
    let well = unexpected == 0 && faults.is_empty() && rows.iter().all(|row| row.flat);
    let verdict = if well { "all well" } else { "NOT WELL" };
    say(format!(
        "\n{} requests, {unexpected} unexpected answers: {verdict}",
        tally.requests()
    ));
    Ok(well)
}

/// `DURATION`, such as `90`, `90s`, `10m` or `1h`.
fn duration() -> Result<Duration> {
    let text = env::var("DURATION").unwrap_or_default();
    let text = text.trim();
    if text.is_empty() {
        return Ok(DURATION);
    }
    let (number, unit) = match text.strip_suffix(['s', 'm', 'h']) {
        Some(number) => (number, &text[number.len()..]),
        None => (text, "s"),
    };
    let number: u64 = number
        .parse()
        .with_context(|| format!("DURATION={text}: give it such as 90s, 10m or 1h"))?;
    let seconds = match unit {
        "m" => 60,
        "h" => 3600,
        _ => 1,
    };
    Ok(Duration::from_secs(number.saturating_mul(seconds)))
}
