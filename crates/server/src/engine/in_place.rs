//! The engine without namespaces, where none can be made and the floor accepts that. Everything that
//! stands in for them is required.

use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc};

use cellblock_sandbox::{Layer, in_place::WITHOUT, probe};

use super::{Engine, StartError, boot, host::Host, outer_identity};
use crate::{
    config::{Config, EngineKind},
    doctor::Finding,
    environment,
    scratch::{Room, Scratch},
    wall::InPlaceWall,
};

/// A zygote, and nsjail around it.
const WALL: u64 = 2;
/// The script's process, and its init.
const CELL: u64 = 2;

/// Starts it. `obstacle` is what keeps namespaces from being made.
pub(super) async fn start(
    config: &Config,
    host: Host,
    obstacle: &Finding,
) -> Result<Engine, StartError> {
    let refused = |missing: String| StartError::NotInPlace {
        obstacle: format!("{}: {}", obstacle.name, obstacle.detail),
        missing,
    };
    let (for_host, text) = (
        config.clone(),
        format!("cannot be made: {}", obstacle.detail),
    );
    let prepared = tokio::task::spawn_blocking(move || prepare(&for_host, host, &text));
    let host = prepared
        .await
        .map_err(|_| StartError::Interrupted)?
        .map_err(refused)?;
    tracing::warn!(
        obstacle = obstacle.detail,
        "no namespaces can be made: cells are processes of one user, as the floor process accepts"
    );
    Engine::with_settings(boot::settings(config, &host), host.groups.clone()).await
}

/// Tries what is needed, and notes what is given up. The error says what there would have to be.
fn prepare(config: &Config, mut host: Host, obstacle: &str) -> Result<Host, String> {
    let cold = |(_, environment): &(_, &crate::config::EnvironmentConfig)| {
        environment.engine == EngineKind::Cold
    };
    if let Some((name, _)) = config.environments.iter().find(cold) {
        return Err(format!(
            "every environment has the engine warm, unlike {name:?}"
        ));
    }
    let (landlock, seccomp) = (probe::landlock(), probe::seccomp());
    landlock.map_err(|error| format!("the kernel has Landlock ({error})"))?;
    seccomp.map_err(|error| format!("the kernel has filters of system calls ({error})"))?;
    // It has a uid in common with the cells, or could have.
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
        .map_err(|error| format!("the server can be closed to tracing ({error})"))?;
    let scratch = scratch(config, &host)?;
    note(&mut host, obstacle, &scratch);
    // A zygote that may take on another uid would have to be trusted with those of the machine.
    host.users = None;
    host.identity = outer_identity(config);
    host.other_processes = others(config, host.identity.uid);
    host.in_place = walls(&host.roots, &Arc::new(scratch))?;
    Ok(host)
}

/// How walls are made of each image, by its path.
fn walls(
    roots: &[(String, PathBuf)],
    scratch: &Arc<Scratch>,
) -> Result<BTreeMap<PathBuf, InPlaceWall>, String> {
    let wall = |(name, root): &(String, PathBuf)| {
        let loader = environment::loader(root)
            .ok_or_else(|| format!("environment {name:?} has a dynamic loader in its image"))?;
        let scratch = Arc::clone(scratch);
        Ok((root.clone(), InPlaceWall { loader, scratch }))
    };
    roots.iter().map(wall).collect()
}

fn scratch(config: &Config, host: &Host) -> Result<Scratch, String> {
    let limits = config
        .environments
        .values()
        .map(|environment| &environment.limits);
    let room = limits.fold(
        Room {
            bytes: 0,
            entries: 0,
        },
        |room, limits| Room {
            bytes: room.bytes.max(limits.tmp_bytes),
            entries: room.entries.max(u64::from(limits.tmp_inodes)),
        },
    );
    let parent = std::env::temp_dir();
    Scratch::make(&parent, host.identity, room).map_err(|error| {
        let (parent, bytes) = (parent.display(), room.bytes.saturating_mul(2));
        format!("{parent} can be written and has {bytes} bytes free ({error})")
    })
}

/// What `/health` says of the layers.
fn note(host: &mut Host, obstacle: &str, scratch: &Scratch) {
    for layer in WITHOUT {
        host.missing
            .entry(layer)
            .or_insert_with(|| obstacle.to_owned());
    }
    let executable = scratch.allows_execution().unwrap_or(true);
    let tmp = if executable {
        "a directory of the run's own instead, whose files are counted every 20 ms and may be mapped as code"
    } else {
        "a directory of the run's own instead, whose files are counted every 20 ms"
    };
    let degraded = [
        (Layer::PrivateTmp, tmp),
        (
            Layer::PrivateProc,
            "no file in /proc can be opened, but whether a process is there can be asked",
        ),
        (
            Layer::ResourceLimits,
            "processes and threads of all runs are counted together",
        ),
        (
            Layer::Capabilities,
            "no process has any, but the bounding set is as it was",
        ),
    ];
    host.degraded = degraded
        .map(|(layer, text)| (layer, text.to_owned()))
        .into();
}

/// Tasks of this user that are there beside those of one run, which the kernel counts with them: those
/// that run now, and what the server is going to start. getrlimit(2), `RLIMIT_NPROC`
fn others(config: &Config, uid: u32) -> u64 {
    let pool = &config.pool;
    let environments = config.environments.len() as u64;
    let cells = u64::from(pool.warm_cells) * environments + u64::from(pool.running_places());
    let zygotes = u64::from(pool.zygotes) * environments;
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let statuses =
        processes.filter_map(|entry| fs::read_to_string(entry.path().join("status")).ok());
    let tasks = statuses.filter_map(|status| {
        let field = |name| status.lines().find_map(|line| line.strip_prefix(name));
        let owner = field("Uid:")?.split_ascii_whitespace().next()?.parse();
        let threads = field("Threads:")?.trim().parse::<u64>().ok()?;
        (owner == Ok(uid)).then_some(threads)
    });
    // A zygote is started before the one that it replaces ends.
    tasks.sum::<u64>() + cells * CELL + 2 * zygotes * WALL
}
