//! Why no engine could be started, and what to do about it.

use std::path::PathBuf;

use cellblock_sandbox::Layer;
use thiserror::Error;

use super::SourceError;
use crate::{
    config::{Floor, UidRange, UnknownName},
    descriptors::TooFew,
    doctor::Finding,
    environment::BuildError,
    runtime::RuntimeError,
};

/// Why no engine could be started: one sentence with its remedy, for whoever starts the program.
#[derive(Debug, Error)]
pub enum StartError {
    /// nsjail is not there.
    #[error(
        "nsjail was not found at {}: run `make setup`, or give its path with --nsjail or \
         CELLBLOCK_NSJAIL", .0.display()
    )]
    NoNsjail(PathBuf),
    /// What is there cannot be run.
    #[error(
        "{} is not an executable file: make it one, or give the path of nsjail with --nsjail or \
         CELLBLOCK_NSJAIL", .0.display()
    )]
    NotExecutable(PathBuf),
    /// This machine does not let nsjail make walls.
    #[error("{}: {}. {}", .0.name, .0.detail, .0.remedy.as_deref().unwrap_or_default())]
    Machine(Box<Finding>),
    /// This machine does not give cells their namespaces.
    #[error(
        "{}: {}. {} Or accept processes of one user without namespaces, for scripts that may run beside \
         one another: --floor process, or CELLBLOCK_FLOOR=process",
        .0.name, .0.detail, .0.remedy.as_deref().unwrap_or_default()
    )]
    NoNamespaces(Box<Finding>),
    /// What stands in for namespaces cannot be had either.
    #[error(
        "namespaces cannot be made here ({obstacle}), and the floor process does without only where \
         {missing}"
    )]
    NotInPlace {
        /// What keeps namespaces from being made.
        obstacle: String,
        /// What is missing, as what would have to be.
        missing: String,
    },
    /// An environment has not been built.
    #[error("environment {0:?} is not built: run `cellblock env build {0}`")]
    NotBuilt(String),
    /// An environment that is taken as it was built is to be built.
    #[error(
        "environment {0:?} is taken as it was built: to build it, name its interpreter with \
         --python or as `interpreter` of [environments.{0}]"
    )]
    AsBuilt(String),
    /// An environment cannot be found or built.
    #[error("environment {name:?}: {source}")]
    Environment {
        /// Its name.
        name: String,
        /// Why.
        source: Box<BuildError>,
    },
    /// A requirements file cannot be read.
    #[error("environment {name:?}: cannot read {}: {source}", path.display())]
    Requirements {
        /// The environment's name.
        name: String,
        /// The file.
        path: PathBuf,
        /// What the system answered.
        source: std::io::Error,
    },
    /// The sandboxes' user cannot reach what they are made of.
    #[error(
        "sandboxes run as uid {uid}, who cannot reach {}: choose another --state-dir, or let \
         others pass through its parent directories (chmod o+x)", path.display()
    )]
    Unreachable {
        /// The state directory.
        path: PathBuf,
        /// The sandboxes' user.
        uid: u32,
    },
    /// The state directory cannot be prepared.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// Fewer descriptors may be open than cells take.
    #[error(transparent)]
    Descriptors(#[from] TooFew),
    /// Control groups were asked for and cannot be had.
    #[error("cgroups were asked for below {} and cannot be had: {reason}", path.display())]
    NoGroups {
        /// Where.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Certain uids were asked for and cannot be had.
    #[error(
        "isolation.uids asks for {range}, and {reason}; mend that, or leave it at auto, or do without: \
         --without own_user"
    )]
    NoUids {
        /// Which.
        range: UidRange,
        /// Why.
        reason: String,
    },
    /// The configuration names a preparation that there is not.
    #[error("pool.zygote_without: {:?} is no preparation; there are: {}", .0.name, .0.known)]
    UnknownPreparation(UnknownName),
    /// The configuration names a layer that there is not.
    #[error("isolation.without: {:?} is no layer; there are: {}", .0.name, .0.known)]
    UnknownLayer(UnknownName),
    /// Isolation would be below the floor.
    #[error(
        "isolation would be below the floor {floor:?}: {layer} is not in force ({reason}); mend \
         that, or accept it with a lower --floor"
    )]
    BelowFloor {
        /// The floor.
        floor: Floor,
        /// The first layer that is missing.
        layer: Layer,
        /// Why it is.
        reason: String,
    },
    /// An environment's modules, its exercise, or the threads of either keep it from being warmed up.
    #[error(
        "environment {name:?} cannot be warmed up: {problem}; mend its preload list or its exercise \
         ([environments.{name}]), and see with `cellblock env build {name}`"
    )]
    Preload {
        /// The environment's name.
        name: String,
        /// What went wrong, and which module it was.
        problem: String,
    },
    /// A sandbox could not be made.
    #[error(
        "environment {name:?} cannot make sandboxes: {source}; `cellblock doctor` tells what this \
         machine allows"
    )]
    Source {
        /// The environment's name.
        name: String,
        /// Why.
        source: Box<SourceError>,
    },
    /// Blocking work was given up.
    #[error("the program is shutting down")]
    Interrupted,
}

impl StartError {
    /// Why the environment of this name has no cells.
    pub(super) fn of_environment(name: String, source: SourceError) -> Self {
        match source.of_preload() {
            Some(problem) => Self::Preload { name, problem },
            None => Self::Source {
                name,
                source: Box::new(source),
            },
        }
    }
}
