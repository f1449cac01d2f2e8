//! Tables for a terminal.

use std::fmt::Write;

use crate::{
    goals::{Standing, Verdict},
    measure::System,
    report::{Figures, Report},
    scripts,
    stability::Stability,
};

/// The whole report.
pub fn show(report: &Report) -> String {
    let mut text = String::new();
    for script in scripts::ALL {
        let _ = writeln!(
            text,
            "\n{}\n  {:<16} {:>7} {:>9} {:>9} {:>10} {:>8} {:>8} {:>7}",
            script.name,
            "system",
            "clients",
            "p50 ms",
            "p99 ms",
            "runs/s",
            "spread",
            "CPU ms",
            "runs"
        );
        let figures = report
            .figures
            .iter()
            .filter(|figures| figures.point.script == script.name);
        figures.for_each(|figures| row(&mut text, figures));
    }
    rest(&mut text, report);
    if let Some(stability) = &report.stability {
        let _ = write!(text, "\n{}", stability_table(stability));
    }
    let _ = write!(text, "\n{}", goals_table(&report.goals));
    text
}

fn row(text: &mut String, figures: &Figures) {
    let system = match figures.point.system {
        System::Bare => "bare fork",
        System::Exercised => "exercised fork",
        System::Warm => "warm engine",
        System::Cold => "cold engine",
    };
    let crowd = figures.point.crowd;
    let (who, rate) = if crowd.paced {
        // What it could have done in its pauses is not known.
        ("paced".to_owned(), "-".to_owned())
    } else {
        (
            crowd.clients.to_string(),
            format!("{:.1}", figures.runs_per_s),
        )
    };
    let cpu = figures
        .cpu_ms
        .map_or("-".to_owned(), |cpu| format!("{cpu:.2}"));
    let _ = writeln!(
        text,
        "  {system:<16} {who:>7} {:>9.2} {:>9.2} {rate:>10} {:>7.0}% {cpu:>8} {:>7}",
        figures.p50_ms,
        figures.p99_ms,
        figures.spread() * 100.0,
        figures.runs,
    );
}

fn rest(text: &mut String, report: &Report) {
    let _ = writeln!(text);
    for client in &report.client {
        let _ = writeln!(
            text,
            "client alone (GET /health), {} clients: p50 {:.3} ms, p99 {:.3} ms, {:.0}/s",
            client.clients, client.p50_ms, client.p99_ms, client.per_s
        );
    }
    if let Some(idle) = &report.idle {
        let kernel = idle
            .kernel_mb
            .map_or("not counted".to_owned(), |mb| format!("{mb:.2} MB"));
        let _ = writeln!(
            text,
            "idle cell: {:.2} MB (own pages {:.2} MB, page tables {:.2} MB, kernel memory with \
             page tables {kernel})",
            idle.cell_mb, idle.pages_mb, idle.page_tables_mb
        );
    }
    let starts: Vec<_> = report
        .start_s
        .iter()
        .map(|start| format!("{start:.2}"))
        .collect();
    let _ = writeln!(text, "start to ready: {} s", starts.join(", "));
    let machine = &report.machine;
    let others = machine
        .others_cores
        .map_or("?".to_owned(), |cores| format!("{cores:.2}"));
    let _ = writeln!(
        text,
        "machine: {} cores, of which {:.2} busy on average, {others} of them with other things; \
         rounds differ by {:.0}% (median)",
        machine.cores,
        machine.busy_cores,
        report.noise() * 100.0
    );
}

/// The goals, one a line.
pub fn goals_table(goals: &[Verdict]) -> String {
    let mut text = format!(
        "{:<56} {:>14} {:>10} {:>17}\n",
        "goal", "", "measured", "range"
    );
    for goal in goals {
        let unit = goal.unit;
        let measured = goal
            .measured
            .map_or(String::new(), |value| format!("{value:.2} {unit}"));
        let range = goal
            .range
            .map_or(String::new(), |(low, high)| format!("{low:.2} - {high:.2}"));
        let standing = match goal.standing {
            Standing::Met => "met",
            Standing::Missed => "MISSED",
            Standing::Information => "",
            Standing::NotMeasured => "not measured (FULL=1)",
        };
        let _ = writeln!(
            text,
            "{:<56} {:>14} {measured:>10} {range:>17}  {standing}",
            goal.name, goal.goal
        );
    }
    text
}

/// What a long run came to.
pub fn stability_table(stability: &Stability) -> String {
    let mut text = format!(
        "{} runs at {:.0}/s, {} wrong\n{:<26} {:>10} {:>10}\n",
        stability.runs, stability.runs_per_s, stability.wrong, "", "before", "after"
    );
    for fault in &stability.faults {
        let _ = writeln!(text, "wrong: {fault}");
    }
    for row in &stability.rows {
        let _ = writeln!(text, "{row}");
    }
    text
}
