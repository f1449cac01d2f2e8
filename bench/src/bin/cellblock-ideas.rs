//! `make bench-ideas`: see `docs/performance.md`.

use std::{env, fs, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context, Result, ensure};
use cellblock_bench::{
    ideas::{self, Idea},
    profile::{self, Profile},
    results::{self, RESULTS},
    server::Setup,
    terminal::{self, say},
};

/// Short windows that often change: what the machine does otherwise hits both servers alike.
const PROFILE: Profile = Profile {
    name: "ideas",
    rounds: 16,
    window: Duration::from_millis(300),
    pause: Duration::from_millis(40),
    ..profile::DEFAULT
};

fn main() -> ExitCode {
    terminal::exit_code(compare().map(|()| true))
}

fn compare() -> Result<()> {
    let results = results::directory()?;
    let (ideas, profile) = (chosen()?, profile()?);
    let usual = Setup::new("warm", "usual", results)?
        .grouped(false)
        .start()?;
    let mut worths = Vec::new();
    for (index, idea) in ideas.iter().enumerate() {
        say(format!(
            "==> {} of {}: {}",
            index + 1,
            ideas.len(),
            idea.name
        ));
        worths.push(ideas::measure(idea, &usual, results, profile)?);
    }
    usual.stop()?;
    fs::write(
        results.join("ideas.json"),
        serde_json::to_vec_pretty(&worths)?,
    )?;
    say(format!("\n{}", ideas::show(&worths)));
    say(format!("written: {RESULTS}/ideas.json"));
    Ok(())
}

/// The build that `AGAINST` names; or else those in whose name is one of the words of `ONLY`; or else all.
fn chosen() -> Result<Vec<Idea>> {
    if let Some(path) = env::var_os("AGAINST") {
        let path = PathBuf::from(path);
        ensure!(
            path.is_file(),
            "AGAINST={}: give the path of another build's cellblock",
            path.display()
        );
        return Ok(vec![ideas::build(path)]);
    }
    let only = env::var("ONLY").unwrap_or_default();
    let mut ideas = ideas::all();
    ideas.retain(|idea| {
        only.is_empty()
            || idea
                .name
                .split(' ')
                .any(|word| only.split(' ').any(|one| one == word))
    });
    ensure!(!ideas.is_empty(), "ONLY={only}: no idea has such a word");
    Ok(ideas)
}

/// With as many rounds as `ROUNDS` says.
fn profile() -> Result<Profile> {
    let text = env::var("ROUNDS").unwrap_or_default();
    let rounds = match text.trim() {
        "" => PROFILE.rounds,
        text => text
            .parse()
            .ok()
            .filter(|rounds| *rounds >= 2)
            .with_context(|| format!("ROUNDS={text}: give a number from 2"))?,
    };
    Ok(Profile { rounds, ..PROFILE })
}
