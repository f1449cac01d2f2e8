//! From a configuration to a running engine.

use std::{collections::BTreeSet, path::Path, sync::Arc, time::Duration};

use cellblock_sandbox::{CellPolicy, InPlace, Layer, policy::ResourceLimits};

use super::{
    AdmissionSettings, Engine, EngineSettings, EnvironmentSettings, Isolation, RunSettings,
    StartError, host::Host, in_place,
};
use crate::{
    config::{Config, EngineKind, EnvironmentConfig, Floor},
    doctor::{Finding, jail},
    wall::{Uids, WallSpec},
};

/// See [`Engine::start`].
pub(super) async fn start(config: &Config) -> Result<Engine, StartError> {
    let for_host = config.clone();
    let host = tokio::task::spawn_blocking(move || Host::find(&for_host))
        .await
        .map_err(|_| StartError::Interrupted)??;
    let shared = host.missing.get(&Layer::OwnUser).cloned();
    let started = match Engine::with_settings(settings(config, &host), host.groups.clone()).await {
        Err(error @ StartError::Source { .. }) => match obstacle(&host).await {
            Some(found) if !jail::is_of_namespaces(&found) => {
                Err(StartError::Machine(Box::new(found)))
            }
            Some(found) if config.isolation.floor == Floor::Process => {
                in_place::start(config, host, &found).await
            }
            Some(found) => Err(StartError::NoNamespaces(Box::new(found))),
            None => Err(error),
        },
        done => done,
    };
    if let (Ok(_), Some(reason)) = (&started, shared) {
        tracing::warn!(
            reason,
            "cells have no uids of their own: what the kernel counts by user, one can use up for all"
        );
    }
    started
}

/// What the kernel refused is told best by what it refuses to a jail with nothing in it.
async fn obstacle(host: &Host) -> Option<Finding> {
    let (nsjail, identity) = (host.nsjail.clone(), host.identity);
    let found = tokio::task::spawn_blocking(move || jail::obstacle(&nsjail, identity));
    found.await.ok().flatten()
}

pub(super) fn settings(config: &Config, host: &Host) -> EngineSettings {
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
        isolation: Isolation::of(config, host),
    }
}

/// The layers that cells of an environment have to do without.
fn omitted(host: &Host, environment: &EnvironmentConfig) -> BTreeSet<Layer> {
    let jit = environment.jit.then_some(Layer::NoExecutableMemory);
    host.missing.keys().copied().chain(jit).collect()
}

fn environment_settings(
    config: &Config,
    host: &Host,
    name: &str,
    environment: &EnvironmentConfig,
    root: &Path,
) -> EnvironmentSettings {
    let limits = &environment.limits;
    let in_place = host.in_place.get(root);
    let policy = CellPolicy {
        tmp_bytes: limits.tmp_bytes,
        tmp_inodes: u64::from(limits.tmp_inodes),
        limits: ResourceLimits {
            processes: u64::from(limits.processes) + host.other_processes,
            file_bytes: match in_place {
                // Room for one that does not fit, so that it meets the end of /tmp, as on a disk.
                None => limits.tmp_bytes.saturating_mul(2),
                Some(_) => limits.tmp_bytes,
            },
            ..CellPolicy::default().limits
        },
        omit: omitted(host, environment),
        in_place: in_place.map(|_| InPlace {
            root: root.to_owned(),
            runtime: host.runtime.programs(),
        }),
        ..CellPolicy::default()
    };
    EnvironmentSettings {
        name: name.to_owned(),
        kind: environment.engine,
        wall: WallSpec {
            nsjail: host.nsjail.clone(),
            root: root.to_owned(),
            runtime: host.runtime.clone(),
            private_root: policy.has(Layer::PrivateRoot),
            jit: !policy.has(Layer::NoExecutableMemory),
            identity: host.identity,
            uids: host
                .users
                .as_ref()
                .map_or_else(Uids::default, |users| Uids {
                    // A cold wall is one cell's, and has that cell's.
                    count: match environment.engine {
                        EngineKind::Warm => users.range().count,
                        EngineKind::Cold => 1,
                    },
                    newuidmap: users.by_newuidmap(),
                }),
            cold: environment.engine == EngineKind::Cold,
            tmp: (policy.tmp_bytes, policy.tmp_inodes),
            in_place: in_place.cloned(),
        },
        users: host.users.clone(),
        policy: Arc::new(policy),
        preload: environment.preload.clone(),
        exercise: environment.exercise.clone(),
        restricted: environment.restricted.clone(),
        without: host.unprepared.clone(),
        warm_cells: config.pool.warm_cells as usize,
        zygotes: config.pool.zygotes as usize,
        zygote_runs: config.pool.zygote_runs,
        zygote_age: Duration::from_secs(config.pool.zygote_seconds),
        zygote_silence: Duration::from_secs(config.pool.zygote_silence_seconds),
        start_timeout: config.pool.start_timeout(),
    }
}
