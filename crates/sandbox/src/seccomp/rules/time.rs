//! Time and signals.

use super::{Arg, Rule, any, only, within};

/// The CPU time of a thread of the own process, by its number: the kernel's `CPUCLOCK_PERTHREAD_MASK` and
/// `CPUCLOCK_SCHED`, below a number that is inverted.
const THREAD_CLOCK: u64 = 0x8000_0006;

pub(super) const RULES: &[Rule] = &[
    only(
        libc::SYS_clock_gettime,
        // No clock of another process, nor of a device.
        &[
            &[within(0, 0xf)],                                 // the fixed ones
            &[Arg::Masked(0, THREAD_CLOCK | 7, THREAD_CLOCK)], // time.pthread_getcpuclockid
        ],
        "time, where the vDSO cannot",
    ),
    only(
        libc::SYS_clock_getres,
        &[&[within(0, 0xf)]],
        "time.get_clock_info",
    ),
    only(
        libc::SYS_clock_nanosleep,
        &[&[within(0, 1)]], // CLOCK_REALTIME, CLOCK_MONOTONIC
        "time.sleep",
    ),
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
