//! Files: Landlock and read-only mounts decide which.

use super::{Arg, Rule, any, flag, only};

const S_IFMT: u64 = 0o170_000;
const S_IFIFO: u64 = 0o010_000;

pub(super) const RULES: &[Rule] = &[
    only(
        libc::SYS_openat,
        &[&[Arg::Masked(2, flag(libc::O_DIRECT), 0)]],
        "open()",
    ),
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
    only(
        libc::SYS_fallocate,
        &[&[Arg::Is(1, 0)]],
        "os.posix_fallocate",
    ),
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
];
