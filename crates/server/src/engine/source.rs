//! Where cells come from, whichever engine makes them.

use std::sync::Arc;

use cellblock_wire::control::Setup;
use thiserror::Error;

use super::{
    EnvironmentStats,
    cold::Cold,
    settings::EnvironmentSettings,
    warm::{Trouble, Want, Warm},
};
use crate::{
    cell::{Cell, CellError},
    cgroup::{Groups, GroupsError},
    config::{EngineKind, restricted},
    users::NoUid,
    wall::{ControlError, WallError},
};

/// Makes cells of one environment.
#[derive(Debug)]
pub(super) enum Source {
    Warm(Warm),
    Cold(Box<Cold>),
}

/// Why there is no cell. Never a script's fault.
#[derive(Debug, Error)]
pub enum SourceError {
    /// The wall did not start.
    #[error(transparent)]
    Wall(#[from] WallError),
    /// The wall stopped answering.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The cell did not become ready.
    #[error(transparent)]
    Cell(#[from] CellError),
    /// The zygote could not fork.
    #[error("cannot make a cell: {step}: {error}")]
    Fork {
        /// The step that failed.
        step: String,
        /// What the kernel answered.
        error: String,
    },
    /// A cgroup could not be made.
    #[error(transparent)]
    Groups(#[from] GroupsError),
    /// No uid is free.
    #[error(transparent)]
    Users(#[from] NoUid),
    /// The policy cannot be written down: ours.
    #[error("policy: {0}")]
    Policy(#[from] serde_json::Error),
    /// The zygote is being replaced and keeps failing.
    #[error("no cell became ready within {}s", .0.as_secs())]
    Timeout(std::time::Duration),
}

/// Most characters of a reason that a client sees.
const REASON: usize = 500;

impl SourceError {
    /// What the environment itself does wrong when it is warmed up; `None` where this machine does.
    pub fn of_preload(&self) -> Option<String> {
        match self {
            Self::Wall(error) => error.of_preload(),
            _ => None,
        }
    }

    /// In one line, without what is nobody's but the operator's.
    pub(super) fn for_clients(&self) -> String {
        let reason = self.of_preload().unwrap_or_else(|| {
            "it cannot make sandboxes; the server's log has the cause".to_owned()
        });
        let words: Vec<_> = reason.split_whitespace().collect();
        words.join(" ").chars().take(REASON).collect()
    }
}

impl Source {
    pub(super) async fn start(
        settings: EnvironmentSettings,
        groups: Option<Arc<Groups>>,
    ) -> Result<Self, SourceError> {
        Ok(match settings.kind {
            EngineKind::Warm => Self::Warm(Warm::start(settings, groups).await?),
            EngineKind::Cold => Self::Cold(Box::new(Cold::start(settings, groups).await?)),
        })
    }

    /// Notes that somebody is going to take a cell, until that is dropped.
    pub(super) fn want(&self) -> Option<Want> {
        match self {
            Self::Warm(warm) => Some(warm.want()),
            Self::Cold(_) => None,
        }
    }

    /// Whether somebody waits for a cell now.
    pub(super) fn is_wanted(&self) -> bool {
        match self {
            Self::Warm(warm) => warm.is_wanted(),
            Self::Cold(_) => false,
        }
    }

    /// A sealed cell that nobody has used.
    pub(super) async fn take(&self) -> Result<Cell, SourceError> {
        match self {
            Self::Warm(warm) => warm.take().await,
            Self::Cold(cold) => cold.take().await,
        }
    }

    /// The figures of the environment of this name now.
    pub(super) fn stats(&self, name: &str) -> EnvironmentStats {
        match self {
            Self::Warm(warm) => warm.stats(name.to_owned()),
            Self::Cold(_) => EnvironmentStats::none(name),
        }
    }

    /// Ends what makes cells, and the cells that wait.
    pub(super) async fn end(&self) {
        match self {
            Self::Warm(warm) => warm.end().await,
            Self::Cold(_) => {}
        }
    }

    /// Whether it lacks what makes its cells, and why.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::Warm(warm) => warm.trouble(),
            Self::Cold(_) => None,
        }
    }

    /// What is not as it is in a fresh interpreter.
    pub(super) fn warnings(&self) -> Vec<String> {
        match self {
            Self::Warm(warm) => warm.warnings().to_vec(),
            Self::Cold(_) => Vec::new(),
        }
    }

    /// The interpreter's version.
    pub(super) fn python(&self) -> &str {
        match self {
            Self::Warm(warm) => warm.python(),
            Self::Cold(cold) => cold.python(),
        }
    }
}

/// What a wall is told first.
pub(super) fn setup(settings: &EnvironmentSettings) -> Result<Setup, SourceError> {
    Ok(Setup {
        preload: settings.preload.clone(),
        exercise: settings.exercise.clone(),
        restricted: restricted::with_reasons(&settings.restricted),
        without: settings.without.clone(),
        policy: serde_json::to_value(&*settings.policy)?,
    })
}
