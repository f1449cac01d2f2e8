//! From a configuration to a running engine.

use std::{path::Path, sync::Arc, time::Duration};

use cellblock_sandbox::{CellPolicy, Layer, policy::ResourceLimits};

use super::{
    AdmissionSettings, Engine, EngineSettings, EnvironmentSettings, LayerMode, LayerState,
    RunSettings, StartError, host::Host,
};
use crate::{
    config::{Config, EngineKind, EnvironmentConfig},
    doctor::jail,
    wall::WallSpec,
};

/// How long a wall may take to become ready: imports of large packages on a slow disk.
const START_TIMEOUT: Duration = Duration::from_mins(1);

/// See [`Engine::start`].
pub(super) async fn start(config: &Config) -> Result<Engine, StartError> {
    let for_host = config.clone();
    let host = tokio::task::spawn_blocking(move || Host::find(&for_host))
        .await
        .map_err(|_| StartError::Interrupted)??;
    let settings = settings(config, &host);
    let Host {
        nsjail,
        identity,
        groups,
        ..
    } = host;
    match Engine::with_settings(settings, groups).await {
        Err(error @ StartError::Source { .. }) => {
            // What the kernel refused is told best by what it refuses to a jail with nothing in it.
            let obstacle = tokio::task::spawn_blocking(move || jail::obstacle(&nsjail, identity));
            let obstacle = obstacle.await.ok().flatten();
            Err(obstacle.map_or(error, |found| StartError::Machine(Box::new(found))))
        }
        done => done,
    }
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
