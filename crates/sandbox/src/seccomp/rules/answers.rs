//! Calls that are answered and not made.

use super::{Arg, When, flag, processes::futex};

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

impl Answer {
    /// Whether it is what a call with these arguments is answered.
    #[cfg(test)]
    pub(in crate::seccomp) fn is_for(&self, call: i64, args: [u64; 6]) -> bool {
        let alternatives = self.when.alternatives();
        let meets = |alternative: &[Arg]| alternative.iter().all(|arg| arg.holds(&args));
        call == self.call && (alternatives.is_empty() || alternatives.iter().any(|it| meets(it)))
    }
}

const fn answer(
    call: i64,
    alternatives: &'static [&'static [Arg]],
    errno: i32,
    why: &'static str,
) -> Answer {
    Answer {
        call,
        when: When::Either(alternatives),
        errno,
        why,
    }
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
    answer(
        libc::SYS_ioctl,
        &[
            &[Arg::Is(1, 0x4004_9409)], // FICLONE
            &[Arg::Is(1, 0x4020_940d)], // FICLONERANGE
        ],
        libc::EOPNOTSUPP,
        "pathlib.Path.copy of 3.14 then copies; tmpfs answers the same",
    ),
    Answer {
        call: libc::SYS_fadvise64,
        when: When::Always,
        errno: 0,
        why: "os.posix_fadvise, pyarrow: advice, which for /tmp changes nothing, and for shared \
              files would drop pages that others use",
    },
    // Arguments beside those that a rule allows, answered as an older kernel would.
    answer(
        libc::SYS_openat,
        &[&[Arg::Masked(2, flag(libc::O_DIRECT), flag(libc::O_DIRECT))]],
        libc::EINVAL,
        "rocksdb, lmdb: as by a file system without it; of a shared file it reads the machine's disk",
    ),
    answer(
        libc::SYS_preadv2,
        UNCACHED,
        libc::EOPNOTSUPP,
        "as by a file system without it; RWF_NOWAIT tells what of a shared file is in memory",
    ),
    answer(
        libc::SYS_pwritev2,
        UNCACHED,
        libc::EOPNOTSUPP,
        "as by a file system without it",
    ),
    answer(
        libc::SYS_fallocate,
        &[&[Arg::Not(1, 0)]],
        libc::EOPNOTSUPP,
        "rocksdb, duckdb: as by a file system that can only allocate",
    ),
    answer(
        libc::SYS_sendto,
        &[&[Arg::Masked(3, OUT_OF_BAND, OUT_OF_BAND)]],
        libc::EOPNOTSUPP,
        "as by local sockets before Linux 5.15",
    ),
    answer(
        libc::SYS_recvfrom,
        &[&[Arg::Masked(3, OUT_OF_BAND, OUT_OF_BAND)]],
        libc::EOPNOTSUPP,
        "as by local sockets before Linux 5.15",
    ),
    answer(
        libc::SYS_getsockopt,
        &[&[
            Arg::Is(1, 1), // SOL_SOCKET, and none of the names that sockets.rs allows
            Arg::Not(2, 3),
            Arg::Not(2, 4),
            Arg::Not(2, 7),
            Arg::Not(2, 8),
            Arg::Not(2, 38),
            Arg::Not(2, 39),
        ]],
        libc::ENOPROTOOPT,
        "as by a kernel without the option",
    ),
    answer(
        libc::SYS_mmap,
        &[&[Arg::Masked(
            3,
            flag(libc::MAP_HUGETLB),
            flag(libc::MAP_HUGETLB),
        )]],
        libc::ENOMEM,
        "mimalloc, jemalloc: as where no huge pages are set aside; they are the machine's, and no \
         cgroup of memory counts them",
    ),
    answer(
        libc::SYS_madvise,
        &[&[
            Arg::Not(2, 0), // none that memory.rs allows
            Arg::Not(2, 1),
            Arg::Not(2, 2),
            Arg::Not(2, 3),
            Arg::Not(2, 4),
            Arg::Not(2, 8),
            Arg::Not(2, 14),
            Arg::Not(2, 15),
            Arg::Not(2, 16),
            Arg::Not(2, 17),
            Arg::Not(2, 18),
        ]],
        libc::EINVAL,
        "as by a kernel without the advice: thread stacks of glibc 2.42 fall back to mprotect",
    ),
    answer(
        libc::SYS_futex,
        &[
            &[futex(2)],  // FUTEX_FD
            &[futex(3)],  // FUTEX_REQUEUE
            &[futex(4)],  // FUTEX_CMP_REQUEUE
            &[futex(5)],  // FUTEX_WAKE_OP
            &[futex(6)],  // FUTEX_LOCK_PI
            &[futex(7)],  // FUTEX_UNLOCK_PI, by which libc asks for the kind
            &[futex(8)],  // FUTEX_TRYLOCK_PI
            &[futex(11)], // FUTEX_WAIT_REQUEUE_PI
            &[futex(12)], // FUTEX_CMP_REQUEUE_PI
            &[futex(13)], // FUTEX_LOCK_PI2
        ],
        libc::ENOSYS,
        "as by a kernel without priority inheritance: pthread_mutex_init says ENOTSUP",
    ),
];

const OUT_OF_BAND: u64 = flag(libc::MSG_OOB);

/// What a file system may do without: `RWF_NOWAIT`, `RWF_NOAPPEND`, `RWF_ATOMIC`, `RWF_DONTCACHE`.
const UNCACHED: &[&[Arg]] = &[
    &[Arg::Masked(5, 0x08, 0x08)],
    &[Arg::Masked(5, 0x20, 0x20)],
    &[Arg::Masked(5, 0x40, 0x40)],
    &[Arg::Masked(5, 0x80, 0x80)],
];
