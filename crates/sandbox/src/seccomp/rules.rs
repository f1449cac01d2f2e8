//! Which system calls a cell may make, and what of CPython, NumPy, pandas or libc needs each.
//!
//! What is not here is refused with `EPERM`. Left out on purpose, beside all that changes the
//! machine: `execve` (a cell runs one program), `socket` (a cell talks to nobody; `AF_ALG` sockets
//! wrote the page cache through read-only mounts, CVE-2026-31431), `ptrace` and `process_vm_*`,
//! `io_uring_*`, `bpf`, `userfaultfd`, `perf_event_open`, `keyctl`, `memfd_create`, `mount` and
//! every namespace call, `inotify_*`, `mincore` and leases (channels between cells that read the same
//! files), `sendmsg` and `recvmsg` (they pass descriptors), System V and POSIX queues. Locks are open,
//! since the files that a cell sees are inodes of its own; where they are not, [`super::shared`]
//! closes what would show a lock to another cell.
//!
//! A test watches the honest scripts and fails for an alternative that no call of theirs meets. What
//! a libc calls only elsewhere than on the machine of the test has a reason that begins with `kept`,
//! and a script that makes the call as that libc would.

/// One allowed system call.
#[derive(Debug)]
pub struct Rule {
    /// The call's number on this architecture.
    pub call: i64,
    /// With which arguments.
    pub when: When,
    /// What needs it.
    pub why: &'static str,
}

/// The arguments with which a call is allowed.
#[derive(Debug, Clone, Copy)]
pub enum When {
    /// Any.
    Always,
    /// Those that meet every condition of at least one alternative.
    Either(&'static [&'static [Arg]]),
}

/// A condition on one argument, by its index; the lower 32 bits are compared.
#[derive(Debug, Clone, Copy)]
pub enum Arg {
    /// It equals the value.
    Is(u8, u64),
    /// Of the bits in the mask, it has exactly those of the value.
    Masked(u8, u64, u64),
}

impl Arg {
    /// Whether a call with these arguments meets it.
    pub fn holds(self, args: &[u64; 6]) -> bool {
        let (index, mask, value) = match self {
            Self::Is(index, value) => (index, 0xffff_ffff, value),
            Self::Masked(index, mask, value) => (index, mask, value),
        };
        args.get(usize::from(index))
            .is_some_and(|arg| arg & mask == value)
    }
}

impl When {
    /// The alternatives, none where the call is always allowed.
    pub fn alternatives(self) -> &'static [&'static [Arg]] {
        match self {
            Self::Always => &[],
            Self::Either(alternatives) => alternatives,
        }
    }
}

pub(super) const fn any(call: i64, why: &'static str) -> Rule {
    Rule {
        call,
        when: When::Always,
        why,
    }
}

pub(super) const fn only(
    call: i64,
    alternatives: &'static [&'static [Arg]],
    why: &'static str,
) -> Rule {
    Rule {
        call,
        when: When::Either(alternatives),
        why,
    }
}

const PROT_WRITE: u64 = 0x2;
const PROT_EXEC: u64 = 0x4;
const MAP_ANONYMOUS: u64 = 0x20;
/// Every `CLONE_NEW*` flag: time, mount, cgroup, uts, ipc, user, pid, network namespaces.
pub(super) const CLONE_NEW: u64 = 0x7e02_0080;
const AF_UNIX: u64 = 1;
const S_IFMT: u64 = 0o170_000;
const S_IFIFO: u64 = 0o010_000;

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
pub(super) const ANSWERS: &[Answer] = &[
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

/// The allow-list.
pub(super) const CELL: &[Rule] = &[
    // Reading and writing descriptors.
    any(libc::SYS_read, "all input"),
    any(libc::SYS_write, "all output, the answer"),
    any(libc::SYS_readv, "os.readv"),
    any(libc::SYS_writev, "the answer, os.writev, libc's stdio"),
    any(libc::SYS_pread64, "os.pread, sqlite3, numpy.fromfile"),
    any(libc::SYS_pwrite64, "os.pwrite, sqlite3"),
    any(libc::SYS_preadv, "os.preadv"),
    any(libc::SYS_pwritev, "os.pwritev"),
    any(libc::SYS_preadv2, "os.preadv with flags"),
    any(libc::SYS_pwritev2, "os.pwritev with flags"),
    any(libc::SYS_lseek, "io"),
    any(libc::SYS_close, "io"),
    any(libc::SYS_close_range, "os.closerange"),
    any(libc::SYS_dup, "libc's dup()"),
    #[cfg(target_arch = "x86_64")]
    any(libc::SYS_dup2, "os.dup2"),
    any(libc::SYS_dup3, "os.dup2 with inheritable=False"),
    any(libc::SYS_pipe2, "os.pipe"),
    any(libc::SYS_sendfile, "os.sendfile, shutil.copyfile"),
    any(libc::SYS_copy_file_range, "os.copy_file_range, shutil"),
    any(libc::SYS_eventfd2, "os.eventfd"),
    only(
        libc::SYS_fcntl,
        &[
            &[Arg::Is(1, 0)],    // F_DUPFD
            &[Arg::Is(1, 1)],    // F_GETFD
            &[Arg::Is(1, 2)],    // F_SETFD
            &[Arg::Is(1, 3)],    // F_GETFL
            &[Arg::Is(1, 4)],    // F_SETFL
            &[Arg::Is(1, 5)],    // F_GETLK: sqlite3's write-ahead log
            &[Arg::Is(1, 6)],    // F_SETLK: sqlite3
            &[Arg::Is(1, 7)],    // F_SETLKW: fcntl.lockf
            &[Arg::Is(1, 1030)], // F_DUPFD_CLOEXEC
            &[Arg::Is(1, 1032)], // F_GETPIPE_SZ
        ],
        "os.dup, os.set_blocking, io.open, sqlite3's locks",
    ),
    only(
        libc::SYS_ioctl,
        &[
            &[Arg::Is(1, 0x5401)],      // TCGETS: isatty
            &[Arg::Is(1, 0x802c_542a)], // kept: TCGETS2, isatty of glibc 2.42 and newer
            &[Arg::Is(1, 0x5413)],      // TIOCGWINSZ: os.get_terminal_size
            &[Arg::Is(1, 0x541b)],      // FIONREAD
            &[Arg::Is(1, 0x5421)],      // FIONBIO: os.set_blocking
            &[Arg::Is(1, 0x5450)],      // FIONCLEX: os.set_inheritable
            &[Arg::Is(1, 0x5451)],      // FIOCLEX: os.set_inheritable
        ],
        "io.open asks isatty; descriptor flags",
    ),
    any(libc::SYS_flock, "fcntl.flock, filelock, h5py"),
    // Waiting for descriptors.
    #[cfg(target_arch = "x86_64")]
    any(libc::SYS_poll, "select.poll"),
    any(libc::SYS_ppoll, "libc's ppoll(), and poll() on aarch64"),
    any(
        libc::SYS_pselect6,
        "select.select, time.sleep of Python 3.10",
    ),
    #[cfg(target_arch = "x86_64")]
    any(libc::SYS_epoll_create, "libc's epoll_create()"),
    any(libc::SYS_epoll_create1, "asyncio"),
    any(libc::SYS_epoll_ctl, "asyncio"),
    #[cfg(target_arch = "x86_64")]
    any(libc::SYS_epoll_wait, "asyncio"),
    any(
        libc::SYS_epoll_pwait,
        "libc's epoll_pwait(), and epoll_wait() on aarch64",
    ),
    // asyncio wakes its loop through a pair of local sockets.
    only(libc::SYS_socketpair, &[&[Arg::Is(0, AF_UNIX)]], "asyncio"),
    any(libc::SYS_sendto, "asyncio's self-pipe"),
    any(libc::SYS_recvfrom, "asyncio's self-pipe"),
    any(libc::SYS_getsockname, "socket objects made by socketpair"),
    any(libc::SYS_getpeername, "socket objects made by socketpair"),
    any(libc::SYS_getsockopt, "socket objects made by socketpair"),
    any(libc::SYS_shutdown, "socket objects made by socketpair"),
    // Files: Landlock and read-only mounts decide which.
    any(libc::SYS_openat, "open()"),
    #[cfg(target_arch = "x86_64")]
    any(libc::SYS_creat, "libc's creat()"),
    #[cfg(target_arch = "x86_64")]
    any(
        libc::SYS_stat,
        "stat() of libraries built for glibc before 2.33: pyarrow, duckdb",
    ),
    #[cfg(target_arch = "x86_64")]
    any(libc::SYS_lstat, "lstat() of such libraries"),
    any(libc::SYS_fstat, "kept: fstat() of glibc 2.39 and newer"),
    any(libc::SYS_newfstatat, "os.stat, open()"),
    any(libc::SYS_statx, "libc's statx(), os.statx"),
    any(libc::SYS_statfs, "os.statvfs"),
    any(libc::SYS_fstatfs, "os.fstatvfs"),
    #[cfg(target_arch = "x86_64")]
    any(libc::SYS_access, "os.access"),
    any(
        libc::SYS_faccessat,
        "kept: access() on aarch64, faccessat() on Linux before 5.8",
    ),
    any(libc::SYS_faccessat2, "os.access with follow_symlinks"),
    any(libc::SYS_getdents64, "os.listdir, imports"),
    #[cfg(target_arch = "x86_64")]
    any(libc::SYS_readlink, "os.readlink"),
    any(libc::SYS_readlinkat, "os.readlink"),
    #[cfg(target_arch = "x86_64")]
    any(libc::SYS_mkdir, "os.mkdir"),
    any(libc::SYS_mkdirat, "os.mkdir"),
    #[cfg(target_arch = "x86_64")]
    any(libc::SYS_rmdir, "os.rmdir"),
    #[cfg(target_arch = "x86_64")]
    any(libc::SYS_unlink, "os.unlink"),
    any(libc::SYS_unlinkat, "shutil.rmtree"),
    #[cfg(target_arch = "x86_64")]
    any(libc::SYS_rename, "os.rename"),
    any(libc::SYS_renameat, "os.replace"),
    #[cfg(target_arch = "x86_64")]
    any(libc::SYS_link, "os.link"),
    any(libc::SYS_linkat, "os.link"),
    #[cfg(target_arch = "x86_64")]
    any(libc::SYS_symlink, "os.symlink"),
    any(libc::SYS_symlinkat, "os.symlink"),
    #[cfg(target_arch = "x86_64")]
    any(libc::SYS_chmod, "os.chmod"),
    any(libc::SYS_fchmod, "os.fchmod"),
    any(libc::SYS_fchmodat, "os.chmod, zipfile, tarfile"),
    any(libc::SYS_utimensat, "os.utime, shutil.copystat"),
    only(
        libc::SYS_mknodat,
        &[&[Arg::Masked(2, S_IFMT, S_IFIFO)]],
        "os.mkfifo",
    ),
    any(libc::SYS_truncate, "os.truncate"),
    any(libc::SYS_ftruncate, "io, sqlite3"),
    any(libc::SYS_fallocate, "os.posix_fallocate"),
    any(libc::SYS_fsync, "os.fsync, sqlite3"),
    any(libc::SYS_fdatasync, "sqlite3"),
    any(libc::SYS_umask, "os.umask"),
    any(libc::SYS_getcwd, "os.getcwd"),
    any(libc::SYS_chdir, "os.chdir"),
    any(libc::SYS_fchdir, "os.fchdir, shutil"),
    any(libc::SYS_listxattr, "shutil.copystat"),
    any(libc::SYS_llistxattr, "shutil.copystat"),
    any(libc::SYS_flistxattr, "os.listxattr"),
    any(libc::SYS_getxattr, "shutil.copystat"),
    any(libc::SYS_lgetxattr, "shutil.copystat"),
    any(libc::SYS_fgetxattr, "os.getxattr"),
    // Memory: nothing becomes executable but files mapped read-only from the jail's root; /tmp is
    // mounted noexec.
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
    // Threads and children.
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
    // Time and signals.
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

/// And where memory may become code: what a process has made itself, never a file that it can write.
pub(super) const EXECUTABLE_MEMORY: &[Rule] = &[
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
