//! What it takes to make a cell, beyond what a cell may do: allowed to a zygote, and taken away
//! again by the last step of the seal.
//!
//! No alternative here may overlap with one of the cell's own rules, or the cell would lose it.

use super::rules::{Arg, Rule, any, only};

/// The calls of a zygote and of a cell that is being made.
pub(super) const SETUP: &[Rule] = &[
    // The zygote.
    any(
        libc::SYS_recvmsg,
        "requests of the server, with descriptors",
    ),
    any(libc::SYS_sendmsg, "events for the server, with a pidfd"),
    // Its init, up to the exec.
    #[cfg(target_arch = "x86_64")]
    any(libc::SYS_open, "rustix: the uid map, /dev/null"),
    any(libc::SYS_execve, "init's own program"),
    // The script's process.
    only(
        libc::SYS_prctl,
        &[
            &[Arg::Is(0, 4)],  // PR_SET_DUMPABLE
            &[Arg::Is(0, 24)], // PR_CAPBSET_DROP
            &[Arg::Is(0, 38)], // PR_SET_NO_NEW_PRIVS
            &[Arg::Is(0, 40)], // PR_GET_TID_ADDRESS: the zygote
            &[Arg::Is(0, 47)], // PR_CAP_AMBIENT
        ],
        "the steps of the seal",
    ),
    any(libc::SYS_capset, "dropping capabilities"),
    any(libc::SYS_landlock_create_ruleset, "Landlock"),
    any(libc::SYS_landlock_add_rule, "Landlock"),
    any(libc::SYS_landlock_restrict_self, "Landlock"),
    any(libc::SYS_seccomp, "the last filter"),
];

/// And what it takes where a cell has namespaces.
pub(super) const NAMESPACES: &[Rule] = &[
    only(
        libc::SYS_clone,
        &[
            &[has(0, 0x0002_0000)], // CLONE_NEWNS
            &[has(0, 0x0400_0000)], // CLONE_NEWUTS
            &[has(0, 0x0800_0000)], // CLONE_NEWIPC
            &[has(0, 0x1000_0000)], // CLONE_NEWUSER
            &[has(0, 0x2000_0000)], // CLONE_NEWPID
            &[has(0, 0x4000_0000)], // CLONE_NEWNET
        ],
        "the cell's namespaces",
    ),
    any(
        libc::SYS_setresuid,
        "the zygote: each cell's own user, and back",
    ),
    only(
        libc::SYS_prctl,
        &[&[Arg::Is(0, 1), Arg::Is(1, 9)]], // PR_SET_PDEATHSIG, SIGKILL
        "the zygote ends with nsjail, after a change of user too",
    ),
    any(libc::SYS_sethostname, "the cell's host name"),
    any(libc::SYS_mount, "the cell's root, /tmp, /dev/shm and /proc"),
    any(libc::SYS_chroot, "entering the cell's root"),
    any(libc::SYS_unshare, "the cgroup namespace"),
];

/// And where it has none.
pub(super) const IN_PLACE: &[Rule] = &[
    only(
        libc::SYS_prctl,
        &[
            &[Arg::Is(0, 1)],  // PR_SET_PDEATHSIG
            &[Arg::Is(0, 36)], // PR_SET_CHILD_SUBREAPER
        ],
        "that a cell ends with its zygote, and init adopts",
    ),
    only(
        libc::SYS_clone,
        &[&[Arg::Is(0, 0x5111)]], // CLONE_VM, CLONE_VFORK, CLONE_PIDFD, SIGCHLD
        "the cell's init",
    ),
];

/// Every `CLONE_NEW*` flag: time, mount, cgroup, uts, ipc, user, pid, network namespaces.
const CLONE_NEW: u64 = 0x7e02_0080;

/// The argument has this bit.
const fn has(index: u8, bit: u64) -> Arg {
    Arg::Masked(index, bit, bit)
}

/// Every namespace flag is among those above, but for those of the time and the cgroup namespace:
/// no cell is cloned into one.
const _: () = assert!(
    CLONE_NEW & !0x0200_0080
        == 0x2_0000 | 0x400_0000 | 0x800_0000 | 0x1000_0000 | 0x2000_0000 | 0x4000_0000
);
