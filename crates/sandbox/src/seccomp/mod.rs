//! The system-call layer: an allow-list, kept as data in [`rules`], compiled once per zygote.
//!
//! Every call passes all filters of its process; the kernel takes the strictest answer, and of two
//! refusals the later filter's errno (seccomp(2)):
//!
//! 1. calls that are answered and not made, one filter for each answer: `ENOSYS`, as by a kernel that
//!    does not have them, so that the C library falls back to an older call whose arguments a filter
//!    can see, and a few others on which libraries go on ([`rules::ANSWERS`]);
//! 2. the allow-list; all else is `EPERM`. Being a list of numbers of the native architecture, it
//!    also closes x32; calls of another architecture (`int 0x80`) end the process.
//!
//! A zygote puts both on itself once, with what it takes to make cells allowed as well ([`setup`]),
//! and each cell adds a third, small one, which takes just that away. To compile the whole list in
//! every cell would cost about a twentieth of a cell's processor time, and leave the zygote bare.
//!
//! A cell without namespaces has two more ([`alone`]), which keep it to itself where elsewhere a
//! namespace does. A cell whose files are inodes that others have too has one more ([`shared`]).

mod alone;
mod rules;
mod setup;
mod shared;
#[cfg(test)]
mod surface;

use std::collections::BTreeMap;

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch,
};
use thiserror::Error;

pub use alone::compile_alone;
pub use rules::{Answer, Arg, Rule, When};
pub use shared::compile_shared;

/// The policy does not compile: our fault.
#[derive(Debug, Error)]
pub enum SeccompError {
    /// The compiler refused it.
    #[error("system-call filter: {0}")]
    Backend(#[from] BackendError),
}

/// The rules of a cell, for tests and reports.
pub fn cell_rules() -> impl Iterator<Item = &'static Rule> {
    rules::CELL.iter().copied().flatten()
}

/// The calls that a cell may make to no effect, for tests and reports.
pub fn cell_answers() -> &'static [Answer] {
    rules::ANSWERS
}

/// What a zygote may do beyond the rules of a cell, to make cells, for tests.
pub fn setup_rules() -> impl Iterator<Item = &'static Rule> {
    making(false).into_iter().flatten()
}

/// What it takes to make a cell with namespaces, or in place without.
fn making(in_place: bool) -> [&'static [Rule]; 2] {
    let special = if in_place {
        setup::IN_PLACE
    } else {
        setup::NAMESPACES
    };
    [setup::SETUP, special]
}

/// Whether memory that a cell fills may become code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memory {
    /// It may not.
    Data,
    /// It may, for compilers at run time.
    Code,
}

impl Memory {
    /// What is allowed beyond the rules of every cell.
    fn rules(self) -> &'static [Rule] {
        match self {
            Self::Data => &[],
            Self::Code => rules::EXECUTABLE_MEMORY,
        }
    }
}

/// The filters of a process that becomes one cell, in the order in which they are to be installed.
pub fn compile_cell(memory: Memory) -> Result<Vec<BpfProgram>, SeccompError> {
    allowing(&[rules::CELL, &[memory.rules()]].concat())
}

/// The filters of a zygote, which its cells inherit: what a cell may call, and what it takes to
/// make one, with namespaces or in place.
pub fn compile_zygote(in_place: bool, memory: Memory) -> Result<Vec<BpfProgram>, SeccompError> {
    allowing(&[rules::CELL, &[memory.rules()], &making(in_place)].concat())
}

/// What a cell of such a zygote installs when it is made: it takes the making away.
pub fn compile_closing(in_place: bool) -> Result<Vec<BpfProgram>, SeccompError> {
    let taken = calls(&making(in_place))?;
    Ok(vec![filter(
        taken,
        SeccompAction::Allow,
        errno(libc::EPERM),
    )?])
}

/// The filters of the module's head, with these lists for the last. The later filter's errno counts
/// where two refuse, so the last one lets pass what the others answer.
fn allowing(lists: &[&[Rule]]) -> Result<Vec<BpfProgram>, SeccompError> {
    let mut allowed = calls(lists)?;
    let mut answered: BTreeMap<i32, BTreeMap<i64, Vec<SeccompRule>>> = BTreeMap::new();
    for answer in rules::ANSWERS {
        add(&mut allowed, answer.call, answer.when)?;
        let of_errno = answered.entry(answer.errno).or_default();
        add(of_errno, answer.call, answer.when)?;
    }
    let mut filters = answered
        .into_iter()
        .map(|(number, calls)| filter(calls, SeccompAction::Allow, errno(number)))
        .collect::<Result<Vec<_>, _>>()?;
    filters.push(filter(allowed, errno(libc::EPERM), SeccompAction::Allow)?);
    Ok(filters)
}

fn calls(lists: &[&[Rule]]) -> Result<BTreeMap<i64, Vec<SeccompRule>>, SeccompError> {
    let mut calls = BTreeMap::new();
    for rule in lists.iter().copied().flatten() {
        add(&mut calls, rule.call, rule.when)?;
    }
    Ok(calls)
}

fn add(
    calls: &mut BTreeMap<i64, Vec<SeccompRule>>,
    call: i64,
    when: When,
) -> Result<(), SeccompError> {
    let entry = calls.entry(call).or_default();
    for alternative in when.alternatives() {
        entry.push(SeccompRule::new(conditions(alternative)?)?);
    }
    Ok(())
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
    use SeccompCmpArgLen::{Dword, Qword};
    args.iter()
        .map(|arg| {
            // Flags and commands are C ints: the kernel ignores the upper half, so it must not
            // decide here either.
            let (index, length, operator, value) = match *arg {
                Arg::Is(index, value) => (index, Dword, SeccompCmpOp::Eq, value),
                Arg::Masked(index, mask, value) => {
                    (index, Dword, SeccompCmpOp::MaskedEq(mask), value)
                }
                Arg::Not(index, value) => (index, Dword, SeccompCmpOp::Ne, value),
                Arg::Null(index) => (index, Qword, SeccompCmpOp::Eq, 0),
            };
            Ok(SeccompCondition::new(index, length, operator, value)?)
        })
        .collect()
}

#[cfg(test)]
mod tests;
