//! Memory: nothing becomes executable but files mapped read-only from the cell's root; `/tmp` is mounted
//! noexec.

use super::{Arg, Rule, any, flag, only};

const PROT_WRITE: u64 = 0x2;
const PROT_EXEC: u64 = 0x4;
const MAP_ANONYMOUS: u64 = 0x20;
/// Flags that no mapping has. Pages set aside by the machine (`MAP_HUGETLB`) are counted by no cgroup
/// of memory; the others, `MAP_LOCKED`, `MAP_GROWSDOWN`, `MAP_SYNC`, `MAP_DROPPABLE` and the bit of the
/// kind beside it, are for nothing that Python does.
const NOT_MAPPED: u64 =
    flag(libc::MAP_HUGETLB | libc::MAP_LOCKED | libc::MAP_GROWSDOWN | libc::MAP_SYNC) | 0xc;

pub(super) const RULES: &[Rule] = &[
    only(
        libc::SYS_mmap,
        &[
            &[Arg::Masked(2, PROT_EXEC, 0), Arg::Masked(3, NOT_MAPPED, 0)],
            &[
                Arg::Masked(2, PROT_EXEC | PROT_WRITE, PROT_EXEC),
                Arg::Masked(3, NOT_MAPPED | MAP_ANONYMOUS, 0),
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
    only(
        libc::SYS_mremap,
        &[&[Arg::Is(3, 1)]], // MREMAP_MAYMOVE, and never to a chosen place
        "realloc of large blocks, mmap.resize",
    ),
    any(libc::SYS_brk, "malloc"),
    only(
        libc::SYS_madvise,
        // Nothing that merges pages with another's (MADV_MERGEABLE), or puts those out of memory that
        // others use (MADV_COLD, MADV_PAGEOUT).
        &[
            &[Arg::Is(2, 0)],  // MADV_NORMAL: mmap.madvise
            &[Arg::Is(2, 1)],  // MADV_RANDOM: the same
            &[Arg::Is(2, 2)],  // MADV_SEQUENTIAL: the same
            &[Arg::Is(2, 3)],  // MADV_WILLNEED: the same, pyarrow, polars
            &[Arg::Is(2, 4)],  // MADV_DONTNEED: malloc, the end of threads
            &[Arg::Is(2, 8)],  // MADV_FREE: jemalloc, mimalloc
            &[Arg::Is(2, 14)], // MADV_HUGEPAGE: numpy
            &[Arg::Is(2, 15)], // MADV_NOHUGEPAGE: jemalloc
            &[Arg::Is(2, 16)], // MADV_DONTDUMP: jemalloc, OpenSSL
            &[Arg::Is(2, 17)], // MADV_DODUMP: jemalloc
            &[Arg::Is(2, 18)], // MADV_WIPEONFORK: generators of random numbers of AWS-LC, glibc
        ],
        "malloc, thread stacks, numpy's huge pages",
    ),
    any(libc::SYS_msync, "mmap.flush, numpy.memmap"),
];

/// And where memory may become code: what a process has made itself, never a file that it can write.
pub(in crate::seccomp) const EXECUTABLE_MEMORY: &[Rule] = &[
    only(
        libc::SYS_mmap,
        &[&[Arg::Masked(3, NOT_MAPPED | MAP_ANONYMOUS, MAP_ANONYMOUS)]],
        "numba, jax, callbacks of ctypes",
    ),
    only(
        libc::SYS_mprotect,
        &[&[Arg::Masked(2, PROT_EXEC, PROT_EXEC)]],
        "numba, jax",
    ),
];
