//! Threads and children, and what a process asks about itself.

use super::{Arg, CLONE_NEW, Rule, any, only};

pub(super) const RULES: &[Rule] = &[
    only(
        libc::SYS_clone,
        &[&[Arg::Masked(0, CLONE_NEW, 0)]],
        "threading, os.fork",
    ),
    any(libc::SYS_exit, "threads"),
    any(libc::SYS_exit_group, "the end"),
    any(libc::SYS_wait4, "os.waitpid"),
    any(libc::SYS_waitid, "os.waitid"),
    any(libc::SYS_kill, "os.kill, within the cell's pid namespace"),
    any(libc::SYS_tgkill, "signal.raise_signal, abort()"),
    any(libc::SYS_set_robust_list, "threads"),
    any(libc::SYS_rseq, "threads"),
    any(libc::SYS_futex, "locks"),
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
    any(libc::SYS_getpriority, "os.getpriority"),
    any(
        libc::SYS_getcpu,
        "kept: sched_getcpu(), where neither rseq nor the vDSO tells",
    ),
];
