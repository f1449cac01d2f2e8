//! The Landlock layer: what of the file system a cell may touch, whatever else is mounted, and,
//! where the kernel knows them, no TCP, no abstract sockets and no signals beyond the cell.

use std::{fs, io, path::PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd,
    RestrictionStatus, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus, Scope,
};

use crate::{
    InPlace,
    plan::{CellDescriptors, Plan},
    steps::StepError,
};

/// The first version of Landlock that a cell is content with: Linux 5.13. What later versions add
/// (network, scopes) is used where the kernel has it; namespaces and seccomp cover it elsewhere.
const LEAST: ABI = ABI::V1;
/// The newest version whose rights are handled here.
const NEWEST: ABI = ABI::V6;

/// A path, and what may be done below it.
type Grant = (PathBuf, BitFlags<AccessFs>);

/// What a cell may read in `/proc`. Left out is what tells of others: `smaps`, `smaps_rollup` and
/// `numa_maps` count who else has a page of a library, `mountinfo` names directories of the machine,
/// `sched` and `schedstat` tell how busy it is. A child of the script has nothing.
const OF_PROCESSES: [&str; 10] = [
    "/proc/self/cgroup",
    "/proc/self/cmdline",
    "/proc/self/maps",
    "/proc/self/mounts",
    "/proc/self/net",
    "/proc/self/stat",
    "/proc/self/statm",
    "/proc/self/status",
    "/proc/self/uid_map",
    "/proc/1/stat", // psutil's list of children
];

/// The directories of the image: a right that is given below `/` cannot be taken back below `/proc`.
///
/// # Errors
/// The root cannot be listed.
pub(crate) fn of_image() -> io::Result<Vec<PathBuf>> {
    let mut image = Vec::new();
    for entry in fs::read_dir("/")? {
        let entry = entry?;
        if entry.file_name() != "proc" && entry.file_name() != "tmp" {
            image.push(entry.path());
        }
    }
    Ok(image)
}

/// What a cell may touch; `image`: as [`of_image`] has it. Execution is granted nowhere.
fn grants(place: Option<&InPlace>, image: &[PathBuf]) -> Vec<Grant> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let all = AccessFs::from_all(NEWEST)
        & !(AccessFs::Execute | AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::IoctlDev);
    let grant = |path: &str, access| (PathBuf::from(path), access);
    // subprocess.DEVNULL and friends.
    let null = grant("/dev/null", AccessFs::ReadFile | AccessFs::WriteFile);
    match place {
        None => {
            let mut grants = vec![
                grant("/", AccessFs::ReadDir.into()),
                grant("/tmp", all), // the script's own place
                grant("/dev/shm", all),
                null,
            ];
            // The interpreter and its libraries.
            let image = image.iter().cloned();
            let of_processes = OF_PROCESSES.map(PathBuf::from).into_iter();
            grants.extend(
                image
                    .chain(of_processes)
                    .map(|path| (path, AccessFs::ReadFile.into())),
            );
            grants
        }
        Some(InPlace { root, runtime }) => {
            let mut grants = vec![
                (root.clone(), read),
                (runtime.clone(), read),
                grant(".", all), // its own directory, which it is in
                null,
            ];
            let device = |path| grant(path, AccessFs::ReadFile.into());
            grants.extend(DEVICES.map(device));
            grants
        }
    }
}

/// What else of the machine's devices may be read; none of them leads anywhere.
const DEVICES: [&str; 4] = ["/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// Whether the kernel's Landlock looks at what cuts a file by its name: since Linux 6.2.
pub(crate) fn governs_truncate() -> bool {
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::Truncate)
        .is_ok()
}

/// Restricts the calling thread, for good.
pub(crate) fn restrict(plan: &Plan, _: &CellDescriptors) -> Result<(), StepError> {
    enforce(plan.policy.in_place.as_ref(), &plan.image).map(drop)
}

/// Restricts the calling thread, for good, and tells what of Landlock the kernel has.
pub(crate) fn enforce(
    place: Option<&InPlace>,
    image: &[PathBuf],
) -> Result<RestrictionStatus, StepError> {
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(LEAST))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?;
    for (path, access) in grants(place, image) {
        match PathFd::new(&path) {
            Ok(file) => ruleset = ruleset.add_rule(PathBeneath::new(file, access))?,
            // What is not there needs no right: kernels differ in what /proc has, and a wall's root has
            // what its cells' does not.
            Err(_) if access == AccessFs::ReadFile => {}
            Err(error) => return Err(error.into()),
        }
    }
    let status = ruleset.restrict_self()?;
    match status.ruleset {
        RulesetStatus::NotEnforced => Err("this kernel has no landlock".into()),
        RulesetStatus::PartiallyEnforced | RulesetStatus::FullyEnforced => Ok(status),
    }
}
