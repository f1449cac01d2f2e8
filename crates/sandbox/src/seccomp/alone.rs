//! What keeps a cell without namespaces to itself: two filters on top of the others.
//!
//! Its processes have their uid in common with other cells and perhaps with the server, so the kernel
//! would let them signal each other, leave their process group, and change the modes of each other's
//! files, which Landlock does not look at (landlock(7), "CAVEATS").

use std::collections::BTreeMap;

use rustix::process::Pid;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompRule,
};

use super::{SeccompError, errno, filter};

/// A value that an argument may have.
#[derive(Debug, Clone, Copy)]
enum Value {
    Zero,
    /// The number of the cell's first process.
    Own,
    /// Its process group, as kill(2) names it.
    Group,
}

/// A call that is refused where one of its arguments is none of these values.
struct Bound {
    call: i64,
    argument: u8,
    may_be: &'static [Value],
}

const fn bound(call: i64, argument: u8, may_be: &'static [Value]) -> Bound {
    Bound {
        call,
        argument,
        may_be,
    }
}

/// Calls that reach beyond the cell by a number or a name. The group's number is not given away while
/// it has a member, and init kills all members before it reaps the first: signals cannot go astray.
const BOUND: &[Bound] = &[
    bound(libc::SYS_kill, 0, &[Value::Zero, Value::Own, Value::Group]),
    bound(libc::SYS_tgkill, 0, &[Value::Own]),
    bound(libc::SYS_getpgid, 0, &[Value::Zero, Value::Own]),
    bound(libc::SYS_getsid, 0, &[Value::Zero, Value::Own]),
    bound(libc::SYS_getpriority, 0, &[Value::Zero]), // PRIO_PROCESS
    bound(libc::SYS_getpriority, 1, &[Value::Zero, Value::Own]),
];

/// Refused whatever their arguments are.
const REFUSED: &[i64] = &[
    libc::SYS_setsid, // init kills the process group, so nobody leaves it
    libc::SYS_setpgid,
];

/// Answered as if done, and left undone: what the owner of a file may change of it without having it
/// open for writing. Its own files a script may change so to no effect; to refuse it would break
/// `shutil.copy`.
const UNDONE: &[i64] = &[
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chmod,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_utimensat,
];

/// The filters for the cell whose first process has this number. `may_truncate`: Landlock sees to it
/// that it cuts no files by name but its own.
///
/// # Errors
/// They do not compile, which is our fault.
pub fn compile_alone(own: Pid, may_truncate: bool) -> Result<[BpfProgram; 2], SeccompError> {
    let mut refused: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for bound in BOUND {
        refused
            .entry(bound.call)
            .or_default()
            .push(SeccompRule::new(conditions(bound, own)?)?);
    }
    refused.extend(REFUSED.iter().map(|call| (*call, Vec::new())));
    if !may_truncate {
        refused.insert(libc::SYS_truncate, Vec::new());
    }
    let undone = UNDONE.iter().map(|call| (*call, Vec::new())).collect();
    Ok([
        filter(refused, SeccompAction::Allow, errno(libc::EPERM))?,
        filter(undone, SeccompAction::Allow, errno(0))?,
    ])
}

/// That the argument is none of the values.
fn conditions(bound: &Bound, own: Pid) -> Result<Vec<SeccompCondition>, SeccompError> {
    let own = own.as_raw_pid();
    bound
        .may_be
        .iter()
        .map(|value| {
            let value = match value {
                Value::Zero => 0,
                Value::Own => own,
                Value::Group => -own,
            };
            Ok(SeccompCondition::new(
                bound.argument,
                // Pids are C ints: the kernel ignores the upper half.
                SeccompCmpArgLen::Dword,
                SeccompCmpOp::Ne,
                u64::from(value.cast_unsigned()),
            )?)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seccomp::{
        Memory, compile_cell,
        tests::{ALLOW, ARCHITECTURES, DONE, EPERM, answer_of},
    };

    const OWN: u64 = 4711;

    fn answer(call: i64, args: [u64; 6]) -> u32 {
        let mut filters = compile_cell(Memory::Data).unwrap();
        filters.extend(compile_alone(Pid::from_raw(4711).unwrap(), false).unwrap());
        answer_of(&filters, call, ARCHITECTURES[0], args)
    }

    #[test]
    fn signals_stay_in_the_cell() {
        let group = u64::from((-4711_i32).cast_unsigned());
        for (target, expected) in [
            (0, ALLOW),
            (OWN, ALLOW),
            (group, ALLOW),
            (group | 0xffff_ffff_0000_0000, ALLOW),
            (1, EPERM),
            (OWN + 1, EPERM),
            (u64::MAX, EPERM), // -1: everybody
            (0xffff_ffff, EPERM),
        ] {
            let got = answer(libc::SYS_kill, [target, 9, 0, 0, 0, 0]);
            assert_eq!(got, expected, "kill {target:#x}");
        }
        assert_eq!(answer(libc::SYS_tgkill, [OWN, 5000, 6, 0, 0, 0]), ALLOW);
        assert_eq!(answer(libc::SYS_tgkill, [OWN + 1, 5000, 6, 0, 0, 0]), EPERM);
        for call in [libc::SYS_tkill, libc::SYS_rt_sigqueueinfo] {
            assert_eq!(answer(call, [OWN, OWN, 0, 0, 0, 0]), EPERM);
        }
    }

    #[test]
    fn nothing_leaves_the_group_or_asks_of_others() {
        for call in [libc::SYS_setsid, libc::SYS_setpgid, libc::SYS_truncate] {
            assert_eq!(answer(call, [0; 6]), EPERM);
        }
        for call in [libc::SYS_getpgid, libc::SYS_getsid] {
            assert_eq!(answer(call, [0; 6]), ALLOW);
            assert_eq!(answer(call, [OWN, 0, 0, 0, 0, 0]), ALLOW);
            assert_eq!(answer(call, [1, 0, 0, 0, 0, 0]), EPERM);
        }
        assert_eq!(answer(libc::SYS_getpriority, [0; 6]), ALLOW);
        assert_eq!(answer(libc::SYS_getpriority, [2, 0, 0, 0, 0, 0]), EPERM);
        assert_eq!(answer(libc::SYS_getpriority, [0, 1, 0, 0, 0, 0]), EPERM);
    }

    #[test]
    fn modes_and_times_stay_as_they_are() {
        for call in UNDONE {
            assert_eq!(answer(*call, [0; 6]), DONE, "call {call}");
        }
    }
}
