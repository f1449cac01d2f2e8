//! What of this machine's isolation works, found out by trying, and what to do where it does not.
//!
//! The checks go from the machine to the whole: each part on its own first, so that something
//! useful is said precisely where the engine cannot start, then the engine as `cellblock serve`
//! would start it, with one script run in every environment.

mod cells;
mod host;
pub(crate) mod jail;
mod show;
mod state;

use serde::Serialize;

use crate::{config::Config, engine::LayerState};

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// `cellblock serve` would start here, with the isolation that the configuration asks for.
    pub ready: bool,
    /// The checks, in order.
    pub checks: Vec<Finding>,
    /// The layers of a cell, where the engine could start.
    pub isolation: Vec<LayerState>,
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was checked.
    pub name: String,
    /// Whether it works.
    pub state: State,
    /// What was found.
    pub detail: String,
    /// What to do where it does not work, in one sentence.
    pub remedy: Option<String>,
}

/// Whether something works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It works.
    Ok,
    /// It does not work, or in part only, and the configured floor allows that.
    Degraded,
    /// It does not work and has to.
    Missing,
}

impl Finding {
    fn ok(name: &str, detail: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            state: State::Ok,
            detail: detail.into(),
            remedy: None,
        }
    }

    fn missing(name: &str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            state: State::Missing,
            detail: detail.into(),
            remedy: Some(remedy.into()),
        }
    }

    /// The same, tolerated where `spared`.
    fn or_degraded(mut self, spared: bool) -> Self {
        if spared && self.state == State::Missing {
            self.state = State::Degraded;
        }
        self
    }
}

/// Runs every check.
pub async fn examine(config: &Config) -> Diagnosis {
    let parts = {
        let config = config.clone();
        tokio::task::spawn_blocking(move || parts(&config)).await
    };
    let mut checks = parts.unwrap_or_default();
    let (whole, isolation) = cells::check(config).await;
    let ready = !whole.iter().any(|finding| finding.state == State::Missing);
    checks.extend(whole);
    Diagnosis {
        ready,
        checks,
        isolation,
    }
}

fn parts(config: &Config) -> Vec<Finding> {
    let mut checks = vec![
        host::platform(),
        host::descriptors(config),
        state::directory(config),
    ];
    checks.extend(jail::check(config));
    checks.extend([
        host::cgroups(config),
        host::uids(config),
        host::landlock(config),
        host::seccomp(config),
    ]);
    checks.extend(state::environments(config));
    checks
}
