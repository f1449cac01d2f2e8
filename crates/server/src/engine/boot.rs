//! From a configuration to a running engine: what this machine offers is found out by trying.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use cellblock_sandbox::{CellPolicy, Layer, policy::ResourceLimits};
use thiserror::Error;

use super::{
    AdmissionSettings, Engine, EngineSettings, EnvironmentSettings, LayerMode, LayerState,
    RunSettings, SourceError,
};
use crate::{
    cgroup::{Groups, SlotLimits},
    config::{Cgroups, Config, EngineKind, EnvironmentConfig, Floor, Requirements},
    environment::{self, BuildError, DEFAULT_REQUIREMENTS, EnvironmentSpec, reachable_by_others},
    runtime::{self, RuntimeError},
    wall::{Identity, WallSpec},
};

/// How long a wall may take to become ready: imports of large packages on a slow disk.
const START_TIMEOUT: Duration = Duration::from_mins(1);

/// Why no engine could be started: one sentence with its remedy, for whoever starts the program.
#[derive(Debug, Error)]
pub enum StartError {
    /// nsjail is not there.
    #[error(
        "nsjail was not found at {}: run `make setup`, or give its path with --nsjail or \
         CELLBLOCK_NSJAIL", .0.display()
    )]
    NoNsjail(PathBuf),
    /// An environment has not been built.
    #[error("environment {0:?} is not built: run `cellblock env build {0}`")]
    NotBuilt(String),
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
    /// Control groups were asked for and cannot be had.
    #[error("cgroups were asked for below {} and cannot be had: {reason}", path.display())]
    NoGroups {
        /// Where.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The configuration names a layer that there is not.
    #[error("isolation.without: {name:?} is no layer; there are: {known}")]
    UnknownLayer {
        /// What it names.
        name: String,
        /// What there is.
        known: String,
    },
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

/// See [`Engine::start`].
pub(super) async fn start(config: &Config) -> Result<Engine, StartError> {
    let for_host = config.clone();
    let host = tokio::task::spawn_blocking(move || Host::find(&for_host))
        .await
        .map_err(|_| StartError::Interrupted)??;
    let settings = settings(config, &host);
    let groups = host.groups;
    Engine::with_settings(settings, groups).await
}

/// What was found on this machine.
struct Host {
    nsjail: PathBuf,
    runtime: PathBuf,
    identity: Identity,
    groups: Option<Arc<Groups>>,
    /// The layers that are not in force, and why.
    missing: BTreeMap<Layer, String>,
    roots: Vec<(String, PathBuf)>,
}

impl Host {
    fn find(config: &Config) -> Result<Self, StartError> {
        let nsjail = find_nsjail(config)?;
        let runtime = runtime::prepare(&config.state_dir)?;
        let identity = identity(config)?;
        let (groups, missing) = find_layers(config)?;
        let mut roots = Vec::new();
        for (name, environment) in &config.environments {
            roots.push((
                name.clone(),
                find_root(name, environment, &config.state_dir)?,
            ));
        }
        Ok(Self {
            nsjail,
            runtime,
            identity,
            groups,
            missing,
            roots,
        })
    }
}

fn find_nsjail(config: &Config) -> Result<PathBuf, StartError> {
    if let Some(path) = config.isolation.nsjail_path() {
        return if path.is_file() {
            Ok(path.to_owned())
        } else {
            Err(StartError::NoNsjail(path.to_owned()))
        };
    }
    let set_up = config.state_dir.join("tools/nsjail/nsjail/bin/nsjail");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|directory| directory.join("nsjail"));
    let found = std::iter::once(set_up.clone())
        .chain(on_path)
        .find(|path| path.is_file());
    found.ok_or(StartError::NoNsjail(set_up))
}

/// Root's sandboxes run as another user; anybody else's as themselves.
fn identity(config: &Config) -> Result<Identity, StartError> {
    let inside = CellPolicy::default().uid;
    let own = rustix::process::geteuid();
    if !own.is_root() {
        let gid = rustix::process::getegid().as_raw();
        return Ok(Identity {
            inside,
            uid: own.as_raw(),
            gid,
        });
    }
    let uid = config.isolation.sandbox_uid;
    if !reachable_by_others(&config.state_dir) {
        return Err(StartError::Unreachable {
            path: config.state_dir.clone(),
            uid,
        });
    }
    Ok(Identity {
        inside,
        uid,
        gid: config.isolation.sandbox_gid,
    })
}

type Found = (Option<Arc<Groups>>, BTreeMap<Layer, String>);

/// Finds out which layers cannot be had or are not wanted, and whether the floor spares them.
fn find_layers(config: &Config) -> Result<Found, StartError> {
    let omitted = config
        .isolation
        .omitted()
        .map_err(|name| StartError::UnknownLayer {
            name,
            known: Layer::ALL.map(Layer::name).join(", "),
        })?;
    let reason = "left out by the configuration";
    let mut missing: BTreeMap<_, _> = omitted
        .into_iter()
        .map(|layer| (layer, reason.to_owned()))
        .collect();
    let limits = SlotLimits {
        processes: u64::from(config.limits.processes),
    };
    let cgroups = if missing.contains_key(&Layer::Cgroup) {
        Cgroups::Off
    } else {
        config.isolation.cgroups()
    };
    let groups = match cgroups {
        Cgroups::Off => Err("switched off by the configuration".to_owned()),
        Cgroups::Auto => Groups::probe(None, limits).map_err(|error| error.to_string()),
        Cgroups::Below(path) => {
            Ok(
                Groups::probe(Some(&path), limits).map_err(|error| StartError::NoGroups {
                    path,
                    reason: error.to_string(),
                })?,
            )
        }
    };
    let groups = groups
        .map_err(|reason| missing.insert(Layer::Cgroup, reason))
        .ok();
    let floor = config.isolation.floor;
    match missing.iter().find(|(layer, _)| !floor.spares(**layer)) {
        Some((&layer, reason)) => Err(StartError::BelowFloor {
            floor,
            layer,
            reason: reason.clone(),
        }),
        None => Ok((groups, missing)),
    }
}

fn find_root(
    name: &str,
    environment: &EnvironmentConfig,
    state: &Path,
) -> Result<PathBuf, StartError> {
    let spec = spec(name, environment)?;
    let found = environment::find(&spec, state).map_err(|source| StartError::Environment {
        name: name.to_owned(),
        source: Box::new(source),
    })?;
    Ok(found
        .ok_or_else(|| StartError::NotBuilt(name.to_owned()))?
        .root)
}

/// What an environment is to be built from.
pub fn spec(name: &str, environment: &EnvironmentConfig) -> Result<EnvironmentSpec, StartError> {
    let requirements = match &environment.requirements {
        Requirements::None => environment::Requirements::None,
        Requirements::Builtin => environment::Requirements::Text(DEFAULT_REQUIREMENTS.to_owned()),
        Requirements::File(path) => {
            environment::Requirements::Text(std::fs::read_to_string(path).map_err(|source| {
                StartError::Requirements {
                    name: name.to_owned(),
                    path: path.clone(),
                    source,
                }
            })?)
        }
    };
    Ok(EnvironmentSpec {
        name: name.to_owned(),
        interpreter: environment.interpreter.clone(),
        requirements,
    })
}

fn settings(config: &Config, host: &Host) -> EngineSettings {
    let limits = &config.limits;
    let environments = host
        .roots
        .iter()
        .filter_map(|(name, root)| {
            let environment = config.environments.get(name)?;
            Some(environment_settings(config, host, name, environment, root))
        })
        .collect();
    EngineSettings {
        admission: AdmissionSettings {
            running: config.pool.running_places() as usize,
            waiting: config.pool.queue_length as usize,
            patience: config.pool.queue_timeout(),
        },
        run: RunSettings {
            stdout_bytes: limits.stdout_bytes,
            stderr_bytes: limits.stderr_bytes,
            result_bytes: limits.result_bytes,
            output_files_bytes: limits.output_files_bytes,
            output_files_count: u64::from(limits.output_files_count),
        },
        environments,
        isolation: layers(host),
    }
}

fn environment_settings(
    config: &Config,
    host: &Host,
    name: &str,
    environment: &EnvironmentConfig,
    root: &Path,
) -> EnvironmentSettings {
    let limits = &environment.limits;
    let policy = CellPolicy {
        tmp_bytes: limits.tmp_bytes,
        tmp_inodes: u64::from(limits.tmp_inodes),
        limits: ResourceLimits {
            processes: u64::from(limits.processes),
            file_bytes: limits.tmp_bytes,
            ..CellPolicy::default().limits
        },
        omit: host.missing.keys().copied().collect(),
        ..CellPolicy::default()
    };
    EnvironmentSettings {
        name: name.to_owned(),
        kind: environment.engine,
        wall: WallSpec {
            nsjail: host.nsjail.clone(),
            root: root.to_owned(),
            runtime: host.runtime.clone(),
            state: config.state_dir.clone(),
            identity: host.identity,
            cold: environment.engine == EngineKind::Cold,
            tmp: (policy.tmp_bytes, policy.tmp_inodes),
        },
        policy: Arc::new(policy),
        preload: environment.preload.clone(),
        exercise: environment.exercise.clone(),
        restricted: environment.restricted.clone(),
        warm_cells: config.pool.warm_cells as usize,
        zygotes: config.pool.zygotes as usize,
        zygote_runs: config.pool.zygote_runs,
        zygote_age: Duration::from_secs(config.pool.zygote_seconds),
        start_timeout: START_TIMEOUT,
    }
}

/// The layers as they are reported: a cell in which one of them had failed would not have been
/// sealed, and the engine not have started.
fn layers(host: &Host) -> Vec<LayerState> {
    Layer::ALL
        .into_iter()
        .map(|layer| {
            let (state, reason) = match host.missing.get(&layer) {
                None => (LayerMode::On, None),
                Some(reason) if layer == Layer::Cgroup => {
                    let instead = "memory and CPU are polled, processes limited by rlimit";
                    (LayerMode::Degraded, Some(format!("{reason}; {instead}")))
                }
                Some(reason) => (LayerMode::Off, Some(reason.clone())),
            };
            LayerState {
                name: layer.name().to_owned(),
                state,
                reason,
            }
        })
        .collect()
}
