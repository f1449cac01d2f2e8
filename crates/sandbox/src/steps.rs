//! The steps that make a cell, in order. Each is fatal when it fails.

use std::{
    ffi::CStr,
    os::fd::{AsRawFd, BorrowedFd},
};

use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
    mount::{MountFlags, mount, mount_bind},
    process::{Resource, Rlimit},
    thread::{CapabilitySet, CapabilitySets, UnshareFlags},
};

use crate::{
    CHANNEL_FD, Layer, landlocked,
    plan::{CellDescriptors, Plan},
    sys,
};

/// Where a wall has what lies above the image in the root of its cells.
pub const LAYER_PATH: &str = "/tmp/layer";
/// Where a wall has the image a second time, with nothing mounted on it: the kernel makes no layer of a
/// mount that hides something below mounts from another user namespace (CVE-2021-3732).
pub const IMAGE_PATH: &str = "/tmp/image";
/// Where a wall has an empty file system that lies above both, so that statfs(2) of a cell's root tells its
/// size and not that of the machine's disk.
pub const ROOM_PATH: &str = "/tmp/room";
const ROOT_OPTIONS: &CStr = c"lowerdir=/tmp/room:/tmp/layer:/tmp/image";

/// The nodes that a wall has, and where a cell's root has them while it is made.
const DEVICES: [(&CStr, &CStr); 5] = [
    (c"/dev/null", c"/tmp/dev/null"),
    (c"/dev/zero", c"/tmp/dev/zero"),
    (c"/dev/full", c"/tmp/dev/full"),
    (c"/dev/random", c"/tmp/dev/random"),
    (c"/dev/urandom", c"/tmp/dev/urandom"),
];

/// One step of init: system calls on ready-made data, nothing else (see the crate's head).
#[derive(Debug)]
pub(crate) struct InitStep {
    pub(crate) layer: Layer,
    pub(crate) name: &'static str,
    pub(crate) run: fn(&Plan) -> Result<(), Errno>,
}

/// What init does between its clone and its exec.
pub(crate) const INIT: &[InitStep] = &[
    InitStep {
        layer: Layer::UserNamespace,
        name: "map uid and gid",
        run: map_ids,
    },
    InitStep {
        layer: Layer::UtsNamespace,
        name: "set the host name",
        run: set_hostname,
    },
    InitStep {
        layer: Layer::PrivateRoot,
        name: "mount the root",
        run: mount_root,
    },
    InitStep {
        layer: Layer::PrivateRoot,
        name: "bind the devices",
        run: bind_devices,
    },
    InitStep {
        layer: Layer::PrivateRoot,
        name: "enter the root",
        run: enter_root,
    },
    InitStep {
        layer: Layer::PrivateTmp,
        name: "mount /tmp",
        run: mount_tmp,
    },
    InitStep {
        layer: Layer::PrivateTmp,
        name: "mount /dev/shm",
        run: mount_shm,
    },
    InitStep {
        layer: Layer::PrivateProc,
        name: "mount /proc",
        run: mount_proc,
    },
];

/// One step of the script's process.
#[derive(Debug)]
pub(crate) struct SealStep {
    pub(crate) layer: Layer,
    pub(crate) name: &'static str,
    pub(crate) run: fn(&Plan, &CellDescriptors) -> Result<(), StepError>,
}

/// Why a step failed, for the log.
pub(crate) type StepError = Box<dyn std::error::Error>;

/// What the script's process does before it may read its job. The order matters: cgroups are
/// joined while the wall's descriptors are open, capabilities go after the last call that needs
/// one, and seccomp comes last because it forbids most of what stands above it.
pub(crate) const SEAL: &[SealStep] = &[
    step(Layer::Session, "start a session", start_session),
    step(
        Layer::ResourceLimits,
        "be the first to be killed for memory",
        be_killed_first,
    ),
    step(Layer::Cgroup, "join the cgroups", join_cgroups),
    step(Layer::CgroupNamespace, "hide the cgroups", hide_cgroups),
    step(
        Layer::Descriptors,
        "lay out descriptors",
        lay_out_descriptors,
    ),
    step(Layer::PrivateTmp, "enter /tmp", enter_tmp),
    step(Layer::ResourceLimits, "set resource limits", set_limits),
    step(Layer::Capabilities, "drop capabilities", drop_capabilities),
    step(
        Layer::NoNewPrivileges,
        "forbid privileges",
        forbid_privileges,
    ),
    step(Layer::NotDumpable, "forbid tracing", forbid_tracing),
    step(
        Layer::Landlock,
        "restrict by landlock",
        landlocked::restrict,
    ),
    step(Layer::Seccomp, "filter system calls", filter_calls),
];

pub(crate) const fn step(
    layer: Layer,
    name: &'static str,
    run: fn(&Plan, &CellDescriptors) -> Result<(), StepError>,
) -> SealStep {
    SealStep { layer, name, run }
}

fn map_ids(plan: &Plan) -> Result<(), Errno> {
    // setgroups must be given up first: user_namespaces(7), "Gaining gid mapping".
    write_proc(c"/proc/self/setgroups", b"deny")?;
    write_proc(c"/proc/self/uid_map", plan.uid_map.get().text())?;
    write_proc(c"/proc/self/gid_map", &plan.gid_map)
}

fn write_proc(path: &CStr, bytes: &[u8]) -> Result<(), Errno> {
    let file = rustix::fs::open(path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(&file, bytes).map(drop)
}

fn set_hostname(plan: &Plan) -> Result<(), Errno> {
    rustix::system::sethostname(plan.policy.hostname.as_bytes())
}

/// Over the wall's `/tmp`, which a cell has no use for: [`ROOM_PATH`], [`LAYER_PATH`] and [`IMAGE_PATH`],
/// one above the other, with no place to write. Files of an overlay are inodes of their own, so a lock on one,
/// its times, or a flush of it, are this cell's alone; their pages are shared as before. In a user
/// namespace since Linux 5.11.
fn mount_root(_: &Plan) -> Result<(), Errno> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::RDONLY;
    mount(c"overlay", c"/tmp", c"overlay", flags, ROOT_OPTIONS)
}

/// The wall's device nodes, over the files that the image has in their places: an overlay in a user namespace
/// has no devices, and shows no mounts of what is below it. One by one, since the directory that holds
/// them is the image's, for all to lock and to flush: 25 us more than all at once, on Linux 6.18.
fn bind_devices(_: &Plan) -> Result<(), Errno> {
    DEVICES
        .iter()
        .try_for_each(|(node, place)| mount_bind(*node, *place))
}

/// The wall's own root stays mounted where no path leads: it is made of the same image, the way back
/// takes a capability that the seal drops, and Landlock knows nothing of it. To unmount it as well
/// would cost a fifth of a millisecond (pivot_root(2), measured on Linux 6.18).
fn enter_root(_: &Plan) -> Result<(), Errno> {
    rustix::process::chroot(c"/tmp")?;
    rustix::process::chdir(c"/")
}

fn mount_tmp(plan: &Plan) -> Result<(), Errno> {
    mount_memory(plan, c"/tmp")
}

/// POSIX semaphores and shared memory: sem_overview(7), shm_overview(7).
fn mount_shm(plan: &Plan) -> Result<(), Errno> {
    mount_memory(plan, c"/dev/shm")
}

fn mount_memory(plan: &Plan, path: &CStr) -> Result<(), Errno> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount(c"tmpfs", path, c"tmpfs", flags, plan.tmp_options.as_c_str())
}

fn mount_proc(_: &Plan) -> Result<(), Errno> {
    // A mount of the new pid namespace: it shows the cell's processes and, with subset=pid,
    // nothing of the machine. The kernel allows it only where the wall's own /proc is unmasked.
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount(c"proc", c"/proc", c"proc", flags, c"subset=pid")
}

pub(crate) fn start_session(_: &Plan, _: &CellDescriptors) -> Result<(), StepError> {
    rustix::process::setsid()?;
    Ok(())
}

pub(crate) fn join_cgroups(_: &Plan, descriptors: &CellDescriptors) -> Result<(), StepError> {
    for &cgroup in &descriptors.cgroups {
        // "0" is the writer: moving oneself is the one move that takes no machine-wide lock.
        rustix::io::write(sys::borrow(cgroup), b"0")?;
    }
    Ok(())
}

/// Where memory runs out for more than this cell, as in a container with a limit, the kernel kills the
/// process with the highest score: a script's, and not the zygote, with which all cells would end, nor the
/// server. To raise one's own score takes no right, and whatever the script starts has it too. The seal
/// then leaves no way to write it: the file is another user's once the process cannot be traced, and
/// Landlock opens nothing in /proc for writing. proc_pid_oom_score_adj(5)
fn be_killed_first(_: &Plan, _: &CellDescriptors) -> Result<(), StepError> {
    Ok(raise_oom_score()?)
}

pub(crate) fn raise_oom_score() -> Result<(), Errno> {
    write_proc(c"/proc/self/oom_score_adj", b"1000")
}

fn hide_cgroups(_: &Plan, _: &CellDescriptors) -> Result<(), StepError> {
    sys::unshare(UnshareFlags::NEWCGROUP)?;
    Ok(())
}

pub(crate) fn lay_out_descriptors(
    _: &Plan,
    descriptors: &CellDescriptors,
) -> Result<(), StepError> {
    let null = rustix::fs::open(c"/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    // The channel first: its number is one that nothing else has yet. The others may sit below 3
    // only if the caller's own 0, 1, 2 were closed, which a wall's never are.
    sys::duplicate_to(sys::borrow(descriptors.channel), CHANNEL_FD)?;
    let standard: [BorrowedFd<'_>; 3] = [
        sys::borrow(null.as_raw_fd()),
        sys::borrow(descriptors.stdout),
        sys::borrow(descriptors.stderr),
    ];
    for (number, descriptor) in (0..).zip(standard) {
        sys::duplicate_to(descriptor, number)?;
    }
    // `null` is among those that go now; it must not be closed a second time by its owner.
    std::mem::forget(null);
    sys::close_range(3, CHANNEL_FD - 1)?;
    sys::close_range(CHANNEL_FD + 1, i32::MAX)?;
    Ok(())
}

fn enter_tmp(_: &Plan, _: &CellDescriptors) -> Result<(), StepError> {
    rustix::process::chdir(c"/tmp")?;
    rustix::process::umask(Mode::from_raw_mode(0o022));
    Ok(())
}

pub(crate) fn set_limits(plan: &Plan, _: &CellDescriptors) -> Result<(), StepError> {
    let limits = &plan.policy.limits;
    for (resource, value) in [
        (Resource::Nproc, limits.processes),
        (Resource::Nofile, limits.open_files),
        (Resource::Fsize, limits.file_bytes),
        (Resource::Stack, limits.stack_bytes),
        (Resource::Sigpending, limits.pending_signals),
        (Resource::Core, 0),
        (Resource::Memlock, 0),
        (Resource::Msgqueue, 0),
        (Resource::Nice, 0),
        (Resource::Rtprio, 0),
    ] {
        set_limit(resource, value)?;
    }
    Ok(())
}

/// Sets soft and hard limit alike, never above what the process already has.
pub(crate) fn set_limit(resource: Resource, value: u64) -> Result<(), Errno> {
    let hard = rustix::process::getrlimit(resource).maximum;
    let value = Some(hard.map_or(value, |hard| value.min(hard)));
    rustix::process::setrlimit(
        resource,
        Rlimit {
            current: value,
            maximum: value,
        },
    )
}

fn drop_capabilities(plan: &Plan, descriptors: &CellDescriptors) -> Result<(), StepError> {
    // A new user namespace gives its first process every capability over it, bounding set
    // included. The bounding set goes first: dropping from it needs CAP_SETPCAP, and who lacks that
    // is no cell that may run.
    for capability in CapabilitySet::all().iter() {
        match rustix::thread::remove_capability_from_bounding_set(capability) {
            // Newer than the kernel.
            Ok(()) | Err(Errno::INVAL) => {}
            Err(error) => return Err(error.into()),
        }
    }
    clear_capabilities(plan, descriptors)
}

/// Of every set but the bounding one.
pub(crate) fn clear_capabilities(_: &Plan, _: &CellDescriptors) -> Result<(), StepError> {
    rustix::thread::clear_ambient_capability_set()?;
    let none = CapabilitySet::empty();
    let sets = CapabilitySets {
        effective: none,
        permitted: none,
        inheritable: none,
    };
    rustix::thread::set_capabilities(None, sets)?;
    Ok(())
}

pub(crate) fn forbid_privileges(_: &Plan, _: &CellDescriptors) -> Result<(), StepError> {
    rustix::thread::set_no_new_privs(true)?;
    Ok(())
}

pub(crate) fn forbid_tracing(_: &Plan, _: &CellDescriptors) -> Result<(), StepError> {
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}

pub(crate) fn filter_calls(plan: &Plan, _: &CellDescriptors) -> Result<(), StepError> {
    for filter in &plan.filters {
        seccompiler::apply_filter(filter)?;
    }
    Ok(())
}
