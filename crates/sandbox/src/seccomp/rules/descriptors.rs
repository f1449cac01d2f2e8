//! Descriptors: to read and write them, to wait for them.

use super::{Arg, Rule, any, flag, only, within};

/// Flags that no file gets: to go past the page cache, to be told by a signal, to leave times.
const NOT_SET: u64 = flag(libc::O_DIRECT | libc::O_ASYNC | libc::O_NOATIME);
/// `RWF_HIPRI`, `RWF_DSYNC`, `RWF_SYNC`, `RWF_APPEND`.
const RWF: &[&[Arg]] = &[&[within(5, 0x17)]];

pub(super) const RULES: &[Rule] = &[
    // To read and write.
    any(libc::SYS_read, "all input"),
    any(libc::SYS_write, "all output, the answer"),
    any(libc::SYS_readv, "os.readv"),
    any(libc::SYS_writev, "the answer, os.writev, libc's stdio"),
    any(libc::SYS_pread64, "os.pread, sqlite3, numpy.fromfile"),
    any(libc::SYS_pwrite64, "os.pwrite, sqlite3"),
    any(libc::SYS_preadv, "os.preadv"),
    any(libc::SYS_pwritev, "os.pwritev"),
    only(libc::SYS_preadv2, RWF, "os.preadv with flags"),
    only(libc::SYS_pwritev2, RWF, "os.pwritev with flags"),
    any(libc::SYS_lseek, "io"),
    any(libc::SYS_close, "io"),
    only(libc::SYS_close_range, &[&[Arg::Is(2, 0)]], "os.closerange"),
    any(libc::SYS_dup, "libc's dup()"),
    #[cfg(target_arch = "x86_64")]
    any(libc::SYS_dup2, "os.dup2"),
    any(libc::SYS_dup3, "os.dup2 with inheritable=False"),
    only(
        libc::SYS_pipe2,
        // No packets (O_DIRECT), no queue of notifications (O_EXCL).
        &[&[within(1, flag(libc::O_CLOEXEC | libc::O_NONBLOCK))]],
        "os.pipe",
    ),
    any(libc::SYS_sendfile, "os.sendfile, shutil.copyfile"),
    any(libc::SYS_copy_file_range, "os.copy_file_range, shutil"),
    any(libc::SYS_eventfd2, "os.eventfd"),
    only(
        libc::SYS_fcntl,
        &[
            &[Arg::Is(1, 0)],                             // F_DUPFD
            &[Arg::Is(1, 1)],                             // F_GETFD
            &[Arg::Is(1, 2)],                             // F_SETFD
            &[Arg::Is(1, 3)],                             // F_GETFL
            &[Arg::Is(1, 4), Arg::Masked(2, NOT_SET, 0)], // F_SETFL: os.set_blocking
            &[Arg::Is(1, 5)],                             // F_GETLK: sqlite3's write-ahead log
            &[Arg::Is(1, 6)],                             // F_SETLK: sqlite3
            &[Arg::Is(1, 7)],                             // F_SETLKW: fcntl.lockf
            &[Arg::Is(1, 1030)],                          // F_DUPFD_CLOEXEC
            &[Arg::Is(1, 1032)],                          // F_GETPIPE_SZ
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
    // To wait.
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
];
