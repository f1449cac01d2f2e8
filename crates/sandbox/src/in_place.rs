//! Cells without namespaces: processes of one user, kept apart by Landlock, the system-call filter, and
//! a process group each. For a machine that refuses namespaces and an operator who has accepted that.
//!
//! What a namespace does elsewhere is done here by:
//!
//! - *pid*: the script leads a process group that nothing in it can leave, and signals to any other
//!   are refused ([`crate::seccomp::compile_alone`]). Init kills the group, is the parent of whoever
//!   loses theirs, and ends with its zygote; the script's process ends with its init.
//! - *mount*: Landlock opens the environment, the runtime and the cell's own directory, and nothing
//!   else, `/proc` included. What Landlock does not look at (modes, times, `truncate` by name) the
//!   filter refuses or leaves undone.
//! - *network, ipc*: there are no calls that make or reach such things, in any cell.

use rustix::{
    io::Errno,
    process::{DumpableBehavior, Signal, getpid, getppid, set_dumpable_behavior},
};

use crate::{
    Layer, landlocked,
    plan::{CellDescriptors, Plan},
    seccomp,
    steps::{self, InitStep, SealStep, StepError, step},
    sys,
};

/// What no such cell is made without.
pub const NEEDED: [Layer; 8] = [
    Layer::PrivateTmp,
    Layer::Descriptors,
    Layer::Session,
    Layer::ResourceLimits,
    Layer::NoNewPrivileges,
    Layer::NotDumpable,
    Layer::Landlock,
    Layer::Seccomp,
];

/// What stays out: the layers that are namespaces or mounts, or that take one.
pub const WITHOUT: [Layer; 9] = [
    Layer::UserNamespace,
    Layer::OwnUser,
    Layer::PidNamespace,
    Layer::MountNamespace,
    Layer::NetworkNamespace,
    Layer::IpcNamespace,
    Layer::UtsNamespace,
    Layer::CgroupNamespace,
    Layer::PrivateRoot,
];

/// What init does between its clone and its exec: see [`steps::INIT`].
pub(crate) const INIT: &[InitStep] = &[
    InitStep {
        layer: Layer::Session,
        name: "end with the zygote",
        run: end_with_the_zygote,
    },
    InitStep {
        layer: Layer::Session,
        name: "adopt orphans",
        run: adopt_orphans,
    },
];

/// What the script's process does: see [`steps::SEAL`]. The directory is entered while its
/// descriptor is open, and Landlock's rule for it is made of where the process is then.
pub(crate) const SEAL: &[SealStep] = &[
    step(Layer::Session, "start a session", steps::start_session),
    step(
        Layer::ResourceLimits,
        "be the first to be killed for memory",
        be_killed_first,
    ),
    step(Layer::Cgroup, "join the cgroups", steps::join_cgroups),
    step(Layer::PrivateTmp, "enter its directory", enter_directory),
    step(
        Layer::Descriptors,
        "lay out descriptors",
        steps::lay_out_descriptors,
    ),
    step(
        Layer::ResourceLimits,
        "set resource limits",
        steps::set_limits,
    ),
    // The bounding set stays, since there may be no right to change it: it is about what a program that
    // is executed may gain, and nothing here executes one.
    step(
        Layer::Capabilities,
        "drop capabilities",
        steps::clear_capabilities,
    ),
    step(
        Layer::NoNewPrivileges,
        "forbid privileges",
        steps::forbid_privileges,
    ),
    step(Layer::NotDumpable, "forbid tracing", steps::forbid_tracing),
    step(
        Layer::Landlock,
        "restrict by landlock",
        landlocked::restrict,
    ),
    step(Layer::Seccomp, "keep to itself", keep_to_itself),
    step(Layer::Seccomp, "filter system calls", steps::filter_calls),
];

/// SIGHUP, at which init ends the cell in good order and reports nothing.
fn end_with_the_zygote(plan: &Plan) -> Result<(), Errno> {
    rustix::process::set_parent_process_death_signal(Some(Signal::HUP))?;
    // One that has died before gives no signal.
    if getppid() == Some(plan.maker) {
        Ok(())
    } else {
        Err(Errno::SRCH)
    }
}

fn adopt_orphans(_: &Plan) -> Result<(), Errno> {
    rustix::process::set_child_subreaper(Some(getpid()))
}

/// As in any cell, but the zygote is closed to its own user, and so is this copy of it: until it is opened,
/// its files in /proc are root's. No hostile code runs in it yet, and no other cell can look at it. It is
/// no wall, so a machine whose /proc cannot be written does without.
fn be_killed_first(_: &Plan, _: &CellDescriptors) -> Result<(), StepError> {
    set_dumpable_behavior(DumpableBehavior::Dumpable)?;
    let _ = steps::raise_oom_score();
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(())
}

fn enter_directory(_: &Plan, descriptors: &CellDescriptors) -> Result<(), StepError> {
    let directory = descriptors.directory.ok_or("no directory came with it")?;
    rustix::process::fchdir(sys::borrow(directory))?;
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    Ok(())
}

/// This very process' number is part of the filter, so it is made here.
fn keep_to_itself(plan: &Plan, _: &CellDescriptors) -> Result<(), StepError> {
    for filter in seccomp::compile_alone(getpid(), plan.may_truncate)? {
        seccompiler::apply_filter(&filter)?;
    }
    Ok(())
}
