//! The system-call layer: an allow-list, kept as data in [`rules`], compiled once per zygote.
//!
//! Two filters, both of which every call passes; the kernel takes the stricter answer, and of two
//! refusals the later filter's errno (seccomp(2)):
//!
//! 1. calls that are answered `ENOSYS`, as by a kernel that does not have them, so that the C
//!    library falls back to an older call whose arguments a filter can see;
//! 2. the allow-list; all else is `EPERM`. Being a list of numbers of the native architecture, it
//!    also closes x32; calls of another architecture (`int 0x80`) end the process.

mod rules;

use std::collections::BTreeMap;

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch,
};
use thiserror::Error;

pub use rules::{Arg, Rule, When};

/// The policy does not compile: our fault.
#[derive(Debug, Error)]
pub enum SeccompError {
    /// The compiler refused it.
    #[error("system-call filter: {0}")]
    Backend(#[from] BackendError),
}

/// The rules of a cell, for tests and reports.
pub fn cell_rules() -> &'static [Rule] {
    rules::CELL
}

/// The filters of a cell, in the order in which they are to be installed.
pub fn compile_cell() -> Result<Vec<BpfProgram>, SeccompError> {
    let absent = rules::ABSENT
        .iter()
        .map(|call| (*call, Vec::new()))
        .collect();
    let absent = filter(absent, SeccompAction::Allow, errno(libc::ENOSYS))?;

    let mut allowed: BTreeMap<i64, Vec<SeccompRule>> = rules::ABSENT
        .iter()
        .map(|call| (*call, Vec::new()))
        .collect();
    for rule in rules::CELL {
        let entry = allowed.entry(rule.call).or_default();
        for alternative in rule.when.alternatives() {
            entry.push(SeccompRule::new(conditions(alternative)?)?);
        }
    }
    let allowed = filter(allowed, errno(libc::EPERM), SeccompAction::Allow)?;
    // The later filter's errno counts where both refuse, and none refuses what the other names.
    Ok(vec![absent, allowed])
}

fn errno(number: i32) -> SeccompAction {
    SeccompAction::Errno(number.cast_unsigned())
}

fn filter(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    otherwise: SeccompAction,
    matched: SeccompAction,
) -> Result<BpfProgram, SeccompError> {
    #[cfg(target_arch = "x86_64")]
    const ARCH: TargetArch = TargetArch::x86_64;
    #[cfg(target_arch = "aarch64")]
    const ARCH: TargetArch = TargetArch::aarch64;
    Ok(SeccompFilter::new(rules, otherwise, matched, ARCH)?.try_into()?)
}

fn conditions(args: &[Arg]) -> Result<Vec<SeccompCondition>, SeccompError> {
    args.iter()
        .map(|arg| {
            let (index, operator, value) = match *arg {
                Arg::Is(index, value) => (index, SeccompCmpOp::Eq, value),
                Arg::Masked(index, mask, value) => (index, SeccompCmpOp::MaskedEq(mask), value),
            };
            // Flags and commands are C ints: the kernel ignores the upper half, so it must not
            // decide here either.
            Ok(SeccompCondition::new(
                index,
                SeccompCmpArgLen::Dword,
                operator,
                value,
            )?)
        })
        .collect()
}

#[cfg(test)]
mod tests;
