//! The Landlock layer: what of the file system a cell may touch, whatever else is mounted, and,
//! where the kernel knows them, no TCP, no abstract sockets and no signals beyond the cell.

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd,
    RestrictionStatus, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus, Scope,
};

use crate::{
    plan::{CellDescriptors, Plan},
    steps::StepError,
};

/// The first version of Landlock that a cell is content with: Linux 5.13. What later versions add
/// (network, scopes) is used where the kernel has it; namespaces and seccomp cover it elsewhere.
const LEAST: ABI = ABI::V1;
/// The newest version whose rights are handled here.
const NEWEST: ABI = ABI::V6;

/// What may be done below which path. Execution is granted nowhere.
fn rules() -> [(&'static str, BitFlags<AccessFs>); 3] {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let all = AccessFs::from_all(NEWEST)
        & !(AccessFs::Execute | AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::IoctlDev);
    [
        ("/", read),   // the interpreter, its libraries, /proc
        ("/tmp", all), // the script's own place
        ("/dev/null", AccessFs::ReadFile | AccessFs::WriteFile), // subprocess.DEVNULL and friends
    ]
}

/// Restricts the calling thread, for good.
pub(crate) fn restrict(_: &Plan, _: &CellDescriptors) -> Result<(), StepError> {
    enforce().map(drop)
}

/// Restricts the calling thread, for good, and tells what of Landlock the kernel has.
pub(crate) fn enforce() -> Result<RestrictionStatus, StepError> {
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(LEAST))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?;
    for (path, access) in rules() {
        ruleset = ruleset.add_rule(PathBeneath::new(PathFd::new(path)?, access))?;
    }
    let status = ruleset.restrict_self()?;
    match status.ruleset {
        RulesetStatus::NotEnforced => Err("this kernel has no landlock".into()),
        RulesetStatus::PartiallyEnforced | RulesetStatus::FullyEnforced => Ok(status),
    }
}
