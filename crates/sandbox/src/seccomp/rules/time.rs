//! Time and signals.

use super::{Rule, any};

pub(super) const RULES: &[Rule] = &[
    any(libc::SYS_clock_gettime, "time, where the vDSO cannot"),
    any(libc::SYS_clock_getres, "time.get_clock_info"),
    any(libc::SYS_clock_nanosleep, "time.sleep"),
    any(
        libc::SYS_gettimeofday,
        "kept: gettimeofday(), where the vDSO cannot",
    ),
    #[cfg(target_arch = "x86_64")]
    any(libc::SYS_time, "kept: time(), where there is no vDSO"),
    #[cfg(target_arch = "x86_64")]
    any(libc::SYS_alarm, "signal.alarm"),
    any(libc::SYS_setitimer, "signal.setitimer"),
    any(libc::SYS_getitimer, "signal.getitimer"),
    #[cfg(target_arch = "x86_64")]
    any(libc::SYS_pause, "signal.pause"),
    any(libc::SYS_rt_sigaction, "signal.signal"),
    any(libc::SYS_rt_sigprocmask, "signal.pthread_sigmask, threads"),
    any(libc::SYS_rt_sigreturn, "the end of every handler"),
    any(libc::SYS_rt_sigpending, "signal.sigpending"),
    any(libc::SYS_rt_sigsuspend, "libc's sigsuspend()"),
    any(libc::SYS_rt_sigtimedwait, "signal.sigwait"),
    any(
        libc::SYS_sigaltstack,
        "faulthandler, threads of other runtimes",
    ),
    any(
        libc::SYS_restart_syscall,
        "sleeping calls after a stop signal",
    ),
    any(libc::SYS_getrandom, "os.urandom"),
];
