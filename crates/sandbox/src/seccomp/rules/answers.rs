//! Calls that are answered and not made.

use super::{Arg, When};

/// A call that is answered, and not made.
#[derive(Debug)]
pub struct Answer {
    /// The call's number on this architecture.
    pub call: i64,
    /// With which arguments.
    pub when: When,
    /// What it is answered with; 0 is success.
    pub errno: i32,
    /// What goes on with that answer.
    pub why: &'static str,
}

const fn absent(call: i64, why: &'static str) -> Answer {
    Answer {
        call,
        when: When::Always,
        errno: libc::ENOSYS,
        why,
    }
}

/// Calls that libraries try first and go on without, each with the answer on which they do.
pub(in crate::seccomp) const ANSWERS: &[Answer] = &[
    // Their arguments sit in memory, where a filter cannot see them, or an older call does the same.
    absent(
        libc::SYS_clone3,
        "libc falls back to clone, whose flags are filtered",
    ),
    absent(
        libc::SYS_openat2,
        "nothing falls back; nothing here uses it",
    ),
    absent(libc::SYS_epoll_pwait2, "libc falls back to epoll_pwait"),
    absent(libc::SYS_fchmodat2, "libc falls back to fchmodat"),
    absent(libc::SYS_futex_waitv, "as by an older kernel"),
    absent(
        libc::SYS_io_uring_setup,
        "libuv-like libraries probe it and go on without",
    ),
    absent(
        libc::SYS_membarrier,
        "libraries with hazard pointers fall back to a fence",
    ),
    Answer {
        call: libc::SYS_ioctl,
        when: When::Either(&[
            &[Arg::Is(1, 0x4004_9409)], // FICLONE
            &[Arg::Is(1, 0x4020_940d)], // FICLONERANGE
        ]),
        errno: libc::EOPNOTSUPP,
        why: "pathlib.Path.copy of 3.14 then copies; tmpfs answers the same",
    },
    Answer {
        call: libc::SYS_fadvise64,
        when: When::Always,
        errno: 0,
        why: "os.posix_fadvise, pyarrow: advice, which for /tmp changes nothing, and for shared \
              files would drop pages that others use",
    },
];
