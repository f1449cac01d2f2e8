//! Threads and children, and what a process asks about itself.

use super::{Arg, INT, Rule, any, flag, only};

/// An operation of futex(2), of one process or shared, by whichever clock.
pub(super) const fn futex(operation: u64) -> Arg {
    const FLAGS: u64 = flag(libc::FUTEX_PRIVATE_FLAG | libc::FUTEX_CLOCK_REALTIME);
    Arg::Masked(1, INT & !FLAGS, operation)
}

pub(super) const RULES: &[Rule] = &[
    only(
        libc::SYS_clone,
        &[
            // As libc makes a thread: all is shared (CLONE_VM, _FS, _FILES, _SIGHAND, _THREAD, _SYSVSEM),
            // and the four by which it is known (_SETTLS, _PARENT_SETTID, _CHILD_CLEARTID).
            &[Arg::Is(0, 0x003d_0f00)],
            &[Arg::Is(0, 0x0120_0011)], // fork: CLONE_CHILD_SETTID, CLONE_CHILD_CLEARTID, SIGCHLD
        ],
        "threading, os.fork",
    ),
    any(libc::SYS_exit, "threads"),
    any(libc::SYS_exit_group, "the end"),
    any(libc::SYS_wait4, "os.waitpid"),
    only(
        libc::SYS_waitid,
        &[
            &[Arg::Is(0, 0)], // P_ALL
            &[Arg::Is(0, 1)], // P_PID
            &[Arg::Is(0, 2)], // P_PGID
        ],
        "os.waitid",
    ),
    any(libc::SYS_kill, "os.kill, within the cell's pid namespace"),
    any(libc::SYS_tgkill, "signal.raise_signal, abort()"),
    any(libc::SYS_set_robust_list, "threads"),
    any(libc::SYS_rseq, "threads"),
    only(
        libc::SYS_futex,
        &[
            &[futex(0)],  // FUTEX_WAIT
            &[futex(1)],  // FUTEX_WAKE
            &[futex(9)],  // FUTEX_WAIT_BITSET
            &[futex(10)], // FUTEX_WAKE_BITSET
        ],
        "locks",
    ),
    any(libc::SYS_sched_yield, "OpenBLAS, locks"),
    any(libc::SYS_sched_getaffinity, "os.cpu_count, OpenBLAS"),
    any(
        libc::SYS_sched_get_priority_max,
        "os.sched_get_priority_max",
    ),
    any(
        libc::SYS_sched_get_priority_min,
        "os.sched_get_priority_min",
    ),
    only(
        libc::SYS_sched_getscheduler,
        &[&[Arg::Is(0, 0)]],
        "os.sched_getscheduler, of oneself only",
    ),
    only(
        libc::SYS_sched_getparam,
        &[&[Arg::Is(0, 0)]],
        "os.sched_getparam, of oneself only",
    ),
    only(
        libc::SYS_sched_rr_get_interval,
        &[&[Arg::Is(0, 0)]],
        "os.sched_rr_get_interval, of oneself only",
    ),
    only(
        libc::SYS_prctl,
        &[&[Arg::Is(0, 15)], &[Arg::Is(0, 16)]], // PR_SET_NAME, PR_GET_NAME
        "thread names: libc's pthread_setname_np(), Python 3.14",
    ),
    only(
        libc::SYS_prlimit64,
        &[&[Arg::Is(0, 0)]],
        "resource.getrlimit, of oneself only",
    ),
    any(libc::SYS_getrusage, "resource.getrusage"),
    any(libc::SYS_times, "os.times"),
    any(libc::SYS_sysinfo, "os.sysconf"),
    any(libc::SYS_uname, "platform.uname"),
    any(libc::SYS_getpid, "os.getpid"),
    any(libc::SYS_getppid, "os.getppid"),
    any(libc::SYS_gettid, "threading.get_native_id"),
    any(libc::SYS_getpgid, "os.getpgid"),
    #[cfg(target_arch = "x86_64")]
    any(libc::SYS_getpgrp, "os.getpgrp"),
    any(libc::SYS_getsid, "os.getsid"),
    any(libc::SYS_setsid, "os.setsid in a child"),
    any(libc::SYS_setpgid, "os.setpgid in a child"),
    any(libc::SYS_getuid, "os.getuid"),
    any(libc::SYS_geteuid, "os.geteuid"),
    any(libc::SYS_getgid, "os.getgid"),
    any(libc::SYS_getegid, "os.getegid"),
    any(libc::SYS_getresuid, "os.getresuid"),
    any(libc::SYS_getresgid, "os.getresgid"),
    any(libc::SYS_getgroups, "os.getgroups"),
    only(
        libc::SYS_getpriority,
        &[&[Arg::Is(0, 0)]], // PRIO_PROCESS
        "os.getpriority",
    ),
    any(
        libc::SYS_getcpu,
        "kept: sched_getcpu(), where neither rseq nor the vDSO tells",
    ),
];
