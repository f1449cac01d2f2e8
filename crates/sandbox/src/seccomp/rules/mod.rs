//! Which system calls a cell may make, and what of CPython, NumPy, pandas or libc needs each.
//!
//! What is not here is refused with `EPERM`. Left out on purpose, beside all that changes the
//! machine: `execve` (a cell runs one program), `socket` (a cell talks to nobody; `AF_ALG` sockets
//! wrote the page cache through read-only mounts, CVE-2026-31431), `ptrace` and `process_vm_*`,
//! `io_uring_*`, `bpf`, `userfaultfd`, `perf_event_open`, `keyctl`, `memfd_create`, `mount` and
//! every namespace call, `inotify_*`, `mincore` and leases (channels between cells that read the same
//! files), `sendmsg` and `recvmsg` (they pass descriptors), System V and POSIX queues. Locks are open,
//! since the files that a cell sees are inodes of its own; where they are not, [`super::shared`]
//! closes what would show a lock to another cell.
//!
//! A test watches the honest scripts and fails for an alternative that no call of theirs meets. What
//! a libc calls only elsewhere than on the machine of the test has a reason that begins with `kept`,
//! and a script that makes the call as that libc would.

mod answers;
mod descriptors;
mod files;
mod memory;
mod processes;
mod sockets;
mod time;

pub(super) use answers::ANSWERS;
pub use answers::Answer;
pub(super) use memory::EXECUTABLE_MEMORY;

/// One allowed system call.
#[derive(Debug)]
pub struct Rule {
    /// The call's number on this architecture.
    pub call: i64,
    /// With which arguments.
    pub when: When,
    /// What needs it.
    pub why: &'static str,
}

/// The arguments with which a call is allowed.
#[derive(Debug, Clone, Copy)]
pub enum When {
    /// Any.
    Always,
    /// Those that meet every condition of at least one alternative.
    Either(&'static [&'static [Arg]]),
}

/// A condition on one argument, by its index. Flags and commands are C ints, of which the kernel takes
/// the lower 32 bits, so these are compared and the upper ones are not.
#[derive(Debug, Clone, Copy)]
pub enum Arg {
    /// It equals the value.
    Is(u8, u64),
    /// Of the bits in the mask, it has exactly those of the value.
    Masked(u8, u64, u64),
    /// It is another than the value: what an answer is for, beside what a rule allows.
    Not(u8, u64),
    /// It is a null pointer: all 64 bits count.
    Null(u8),
}

impl Arg {
    /// Whether a call with these arguments meets it.
    pub fn holds(self, args: &[u64; 6]) -> bool {
        let (index, mask, value) = match self {
            Self::Is(index, value) => (index, INT, value),
            Self::Masked(index, mask, value) => (index, mask, value),
            Self::Not(index, value) => return !Self::Is(index, value).holds(args),
            Self::Null(index) => (index, u64::MAX, 0),
        };
        args.get(usize::from(index))
            .is_some_and(|arg| arg & mask == value)
    }
}

impl When {
    /// The alternatives, none where the call is always allowed.
    pub fn alternatives(self) -> &'static [&'static [Arg]] {
        match self {
            Self::Always => &[],
            Self::Either(alternatives) => alternatives,
        }
    }
}

/// The bits of an argument that is a C int.
const INT: u64 = 0xffff_ffff;

/// The argument has no other bits than these.
const fn within(index: u8, bits: u64) -> Arg {
    Arg::Masked(index, INT & !bits, 0)
}

/// A flag of libc as an argument.
const fn flag(value: libc::c_int) -> u64 {
    value.cast_unsigned() as u64
}

pub(super) const fn any(call: i64, why: &'static str) -> Rule {
    Rule {
        call,
        when: When::Always,
        why,
    }
}

pub(super) const fn only(
    call: i64,
    alternatives: &'static [&'static [Arg]],
    why: &'static str,
) -> Rule {
    Rule {
        call,
        when: When::Either(alternatives),
        why,
    }
}

/// The allow-list.
pub(super) const CELL: &[&[Rule]] = &[
    descriptors::RULES,
    sockets::RULES,
    files::RULES,
    memory::RULES,
    processes::RULES,
    time::RULES,
];
