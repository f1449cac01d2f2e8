//! Interval timers, which end a process that has no handler for their signal.

use std::ptr;

/// Stops all three.
pub(crate) fn stop() {
    let zero = libc::timeval {
        tv_sec: 0,
        tv_usec: 0,
    };
    let off = libc::itimerval {
        it_interval: zero,
        it_value: zero,
    };
    for timer in [libc::ITIMER_REAL, libc::ITIMER_VIRTUAL, libc::ITIMER_PROF] {
        // SAFETY: reads `off`, which outlives the call, and writes nothing (setitimer(2)).
        unsafe { libc::setitimer(timer, &raw const off, ptr::null_mut()) };
    }
}
