//! What this machine offers to an engine, found out by trying.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use cellblock_sandbox::{CellPolicy, Layer};
use cellblock_wire::preparation::Preparation;

use super::StartError;
use crate::{
    cgroup::Groups,
    config::{Cgroups, Config, EnvironmentConfig, Requirements},
    descriptors,
    environment::{self, DEFAULT_REQUIREMENTS, Environment, EnvironmentSpec, reachable_by_others},
    runtime::{self, Runtime},
    users::{self, Users},
    wall::{Identity, InPlaceWall},
};

/// What was found on this machine.
pub(super) struct Host {
    pub(super) nsjail: PathBuf,
    pub(super) runtime: Runtime,
    pub(super) identity: Identity,
    pub(super) groups: Option<Arc<Groups>>,
    /// Where cells have uids of their own from, if they have.
    pub(super) users: Option<Arc<Users>>,
    /// The layers that are not in force, and why.
    pub(super) missing: BTreeMap<Layer, String>,
    pub(super) roots: Vec<(String, PathBuf)>,
    /// What zygotes leave out of what makes forks cheap.
    pub(super) unprepared: BTreeSet<Preparation>,
    /// The layers that are in force in part, and what is missing.
    pub(super) degraded: BTreeMap<Layer, String>,
    /// Processes and threads that count against a cell's limit beside its own.
    pub(super) other_processes: u64,
    /// How walls are made of an image without namespaces, by its path; empty where there are some.
    pub(super) in_place: BTreeMap<PathBuf, InPlaceWall>,
}

impl Host {
    /// Looks, and finds out by trying.
    pub(super) fn find(config: &Config) -> Result<Self, StartError> {
        descriptors::check(config)?;
        let nsjail = find_nsjail(config)?;
        let runtime = runtime::prepare(&config.state_dir, &config.isolation.links())?;
        let (groups, mut missing) = find_layers(config)?;
        let users = find_users(config, &nsjail, groups.as_deref(), &mut missing)?;
        let identity = identity(config, users.as_ref())?;
        let unprepared = config
            .pool
            .unprepared()
            .map_err(StartError::UnknownPreparation)?;
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
            users: users.map(Arc::new),
            missing,
            roots,
            unprepared,
            degraded: BTreeMap::new(),
            other_processes: 0,
            in_place: BTreeMap::new(),
        })
    }
}

/// Where nsjail is.
pub(crate) fn find_nsjail(config: &Config) -> Result<PathBuf, StartError> {
    let path = look_for_nsjail(config)?;
    match rustix::fs::access(&path, rustix::fs::Access::EXEC_OK) {
        Ok(()) => Ok(path),
        Err(_) => Err(StartError::NotExecutable(path)),
    }
}

fn look_for_nsjail(config: &Config) -> Result<PathBuf, StartError> {
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

/// Who sandboxes are outside: root's run as another user, anybody else's as themselves.
pub(crate) fn outer_identity(config: &Config) -> Identity {
    let own = rustix::process::geteuid();
    let (uid, gid) = if own.is_root() {
        (config.isolation.sandbox_uid, config.isolation.sandbox_gid)
    } else {
        (own.as_raw(), rustix::process::getegid().as_raw())
    };
    Identity {
        inside: CellPolicy::default().uid,
        uid,
        gid,
    }
}

fn identity(config: &Config, users: Option<&Users>) -> Result<Identity, StartError> {
    let mut identity = outer_identity(config);
    if let Some(users) = users {
        identity.uid = users.range().first;
    }
    let own = rustix::process::geteuid().as_raw();
    if identity.uid != own && !reachable_by_others(&config.state_dir) {
        return Err(StartError::Unreachable {
            path: config.state_dir.clone(),
            uid: identity.uid,
        });
    }
    Ok(identity)
}

type Found = (Option<Arc<Groups>>, BTreeMap<Layer, String>);

/// Finds out which layers cannot be had or are not wanted, and whether the floor spares them.
fn find_layers(config: &Config) -> Result<Found, StartError> {
    let omitted = config
        .isolation
        .omitted()
        .map_err(StartError::UnknownLayer)?;
    let reason = "left out by the configuration";
    let mut missing: BTreeMap<_, _> = omitted
        .into_iter()
        .map(|layer| (layer, reason.to_owned()))
        .collect();
    let wanted = !missing.contains_key(&Layer::Cgroup);
    let found = wanted.then(|| Groups::probe(config)).flatten();
    let groups = match (found, config.isolation.cgroups()) {
        (None, _) => Err("switched off by the configuration".to_owned()),
        (Some(Ok(groups)), _) => Ok(groups),
        (Some(Err(error)), Cgroups::Below(path)) => {
            let reason = error.to_string();
            return Err(StartError::NoGroups { path, reason });
        }
        (Some(Err(error)), _) => Err(error.to_string()),
    };
    let groups = groups
        .map_err(|reason| missing.insert(Layer::Cgroup, reason))
        .ok();
    let floor = config.isolation.floor;
    let layer = Layer::NoExecutableMemory;
    let jit = config.environments.iter().find(|(_, it)| it.jit);
    if let Some((name, _)) = jit.filter(|_| !floor.spares(layer)) {
        return Err(StartError::BelowFloor {
            floor,
            layer,
            reason: format!("environment {name:?} has jit = true"),
        });
    }
    match missing.iter().find(|(layer, _)| !floor.spares(**layer)) {
        Some((&layer, reason)) => Err(StartError::BelowFloor {
            floor,
            layer,
            reason: reason.clone(),
        }),
        None => Ok((groups, missing)),
    }
}

/// The uids for cells. Where they cannot be had, and nobody asked for certain ones, that is said, and
/// cells share one.
fn find_users(
    config: &Config,
    nsjail: &Path,
    groups: Option<&Groups>,
    missing: &mut BTreeMap<Layer, String>,
) -> Result<Option<Users>, StartError> {
    if missing.contains_key(&Layer::OwnUser) {
        return Ok(None);
    }
    match (
        users::find(config, nsjail, groups),
        config.isolation.uid_range(),
    ) {
        (Ok(users), _) => Ok(Some(users)),
        (Err(reason), Some(range)) => Err(StartError::NoUids { range, reason }),
        (Err(reason), None) => {
            missing.insert(Layer::OwnUser, reason);
            Ok(None)
        }
    }
}

fn find_root(
    name: &str,
    environment: &EnvironmentConfig,
    state: &Path,
) -> Result<PathBuf, StartError> {
    let found = find_environment(name, environment, state)?;
    Ok(found
        .ok_or_else(|| StartError::NotBuilt(name.to_owned()))?
        .root)
}

/// The environment as it is built, if it is.
pub(crate) fn find_environment(
    name: &str,
    environment: &EnvironmentConfig,
    state: &Path,
) -> Result<Option<Environment>, StartError> {
    let found = if environment.is_as_built() {
        environment::latest(name, state)
    } else {
        environment::find(&spec(name, environment)?, state)
    };
    found.map_err(|source| StartError::Environment {
        name: name.to_owned(),
        source: Box::new(source),
    })
}

/// What an environment is to be built from.
pub fn spec(name: &str, environment: &EnvironmentConfig) -> Result<EnvironmentSpec, StartError> {
    if environment.is_as_built() {
        return Err(StartError::AsBuilt(name.to_owned()));
    }
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
