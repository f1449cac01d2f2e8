//! Memory: nothing becomes executable but files mapped read-only from the cell's root; `/tmp` is mounted
//! noexec.

use super::{Arg, Rule, any, only};

const PROT_WRITE: u64 = 0x2;
const PROT_EXEC: u64 = 0x4;
const MAP_ANONYMOUS: u64 = 0x20;

pub(super) const RULES: &[Rule] = &[
    only(
        libc::SYS_mmap,
        &[
            &[Arg::Masked(2, PROT_EXEC, 0)],
            &[
                Arg::Masked(2, PROT_EXEC | PROT_WRITE, PROT_EXEC),
                Arg::Masked(3, MAP_ANONYMOUS, 0),
            ],
        ],
        "malloc, numpy, importing extension modules",
    ),
    only(
        libc::SYS_mprotect,
        &[&[Arg::Masked(2, PROT_EXEC, 0)]],
        "thread stacks, the loader",
    ),
    any(libc::SYS_munmap, "malloc"),
    any(libc::SYS_mremap, "realloc of large blocks"),
    any(libc::SYS_brk, "malloc"),
    any(
        libc::SYS_madvise,
        "malloc, thread stacks, numpy's huge pages",
    ),
    any(libc::SYS_msync, "mmap.flush, numpy.memmap"),
];

/// And where memory may become code: what a process has made itself, never a file that it can write.
pub(in crate::seccomp) const EXECUTABLE_MEMORY: &[Rule] = &[
    only(
        libc::SYS_mmap,
        &[&[Arg::Masked(3, MAP_ANONYMOUS, MAP_ANONYMOUS)]],
        "numba, jax, callbacks of ctypes",
    ),
    only(
        libc::SYS_mprotect,
        &[&[Arg::Masked(2, PROT_EXEC, PROT_EXEC)]],
        "numba, jax",
    ),
];
