//! The kernel: what it is, and which of the layers it gives that a process puts on itself.

use cellblock_sandbox::{Layer, probe};

use super::Finding;
use crate::{
    cgroup::{Groups, Version},
    config::{Cgroups, Config},
    descriptors::{self, TooFew},
    engine, users,
};

pub(super) fn platform() -> Finding {
    let uname = rustix::system::uname();
    let text = |part: &std::ffi::CStr| part.to_string_lossy().into_owned();
    let user = if rustix::process::geteuid().is_root() {
        "root".to_owned()
    } else {
        format!("uid {}", rustix::process::geteuid().as_raw())
    };
    let (system, release) = (text(uname.sysname()), text(uname.release()));
    let machine = text(uname.machine());
    Finding::ok(
        "platform",
        format!("{system} {release} on {machine}, as {user}"),
    )
}

pub(super) fn descriptors(config: &Config) -> Finding {
    let name = "open descriptors";
    match descriptors::check(config) {
        Ok((limit, needed)) => {
            let limit = limit.map_or("any number".to_owned(), |limit| limit.to_string());
            let more = config.server.max_connections;
            let detail = format!(
                "{limit} allowed, {needed} needed, and one for each of up to {more} connections"
            );
            Finding::ok(name, detail)
        }
        Err(TooFew { limit, needed }) => {
            let remedy = "Raise the hard limit (ulimit -Hn, LimitNOFILE= of systemd, --ulimit nofile= of Docker), or \
                 lower pool.max_running and pool.warm_cells.";
            let detail = format!("{limit} allowed, {needed} needed");
            Finding::missing(name, detail, remedy)
        }
    }
}

/// Whether the configuration leaves a layer out, and its floor lets it.
fn left_out(config: &Config, layer: Layer) -> bool {
    let omitted = config.isolation.omitted().unwrap_or_default();
    omitted.contains(&layer) && config.isolation.floor.spares(layer)
}

pub(super) fn cgroups(config: &Config) -> Finding {
    let name = "cgroups";
    let spared = config.isolation.floor.spares(Layer::Cgroup);
    let Some(found) = Groups::probe(config) else {
        let remedy = "Set --cgroup-parent auto to have them.";
        let off = Finding::missing(name, "switched off by the configuration", remedy);
        return off.or_degraded(spared);
    };
    match found {
        Ok(groups) => {
            let version = match groups.version() {
                Version::One => "1",
                Version::Two => "2",
            };
            let detail = format!("version {version}, groups can be made and limited");
            Finding::ok(name, detail)
        }
        Err(error) => {
            let detail =
                format!("{error}; memory and CPU are polled, processes limited by rlimit instead");
            let remedy = "Start the server where it may make groups: as root, as a systemd service \
                 with Delegate=yes, or with a delegated group of version 2 as --cgroup-parent.";
            // Who named a group is to have them.
            let named = matches!(config.isolation.cgroups(), Cgroups::Below(_));
            Finding::missing(name, detail, remedy).or_degraded(spared && !named)
        }
    }
}

/// What cells have as their own users, found as the engine does.
pub(super) fn uids(config: &Config) -> Finding {
    let name = "uids";
    let without = config.isolation.omitted().unwrap_or_default();
    if without.contains(&Layer::OwnUser) {
        let remedy = "Take own_user out of isolation.without.";
        return Finding::missing(name, "left out by the configuration", remedy)
            .or_degraded(left_out(config, Layer::OwnUser));
    }
    let groups = Groups::probe(config).and_then(Result::ok);
    let found = engine::find_nsjail(config)
        .map_err(|_| "nsjail does not run".to_owned())
        .and_then(|nsjail| users::find(config, &nsjail, groups.as_deref()));
    match found {
        Ok(found) => Finding::ok(name, format!("each cell has one of {}", found.range())),
        Err(reason) => {
            let detail =
                format!("{reason}; one cell can use up for all what the kernel counts by user");
            let remedy = "Run the server as root, or give its user uids: newuidmap of the package uidmap, \
                 a line such as `USER:200000:65536` in /etc/subuid, and a state directory that others \
                 can pass through.";
            // Who asked for certain ones is to have them.
            let spared = config.isolation.uid_range().is_none();
            Finding::missing(name, detail, remedy).or_degraded(spared)
        }
    }
}

pub(super) fn landlock(config: &Config) -> Finding {
    let name = "landlock";
    match probe::landlock() {
        Ok(version) => Finding::ok(name, version),
        Err(error) => {
            let remedy = "Boot a kernel of 5.13 or newer with landlock in its lsm= list, or do \
                 without it: --without landlock.";
            Finding::missing(name, error, remedy).or_degraded(left_out(config, Layer::Landlock))
        }
    }
}

pub(super) fn seccomp(config: &Config) -> Finding {
    let name = "seccomp";
    match probe::seccomp() {
        Ok(()) => Finding::ok(name, "filters of system calls can be installed"),
        Err(error) => {
            let remedy = "Use a kernel with CONFIG_SECCOMP_FILTER, and a container runtime that \
                 allows prctl and seccomp.";
            Finding::missing(name, error, remedy).or_degraded(left_out(config, Layer::Seccomp))
        }
    }
}
