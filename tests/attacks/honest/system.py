"""What an honest script, or a library for it, asks of the operating system: every door once."""

import asyncio
import errno
import faulthandler
import fcntl
import mmap
import os
import platform
import resource
import select
import shutil
import signal
import stat
import struct
import tempfile
import threading
import time


def descriptors():
    read, write = os.pipe()
    os.writev(write, [b"ab", b"cd"])
    assert os.readv(read, [bytearray(4)]) == 4
    os.set_blocking(read, False)
    assert not os.get_blocking(read)
    try:
        os.read(read, 1)
        raise AssertionError("an empty pipe was read")
    except BlockingIOError:
        pass
    os.set_inheritable(write, True)
    os.set_inheritable(write, False)
    copy = os.dup(write)
    os.dup2(copy, 40, inheritable=False)
    os.dup2(copy, 41)
    os.closerange(40, 42)
    os.close(copy)
    flags = fcntl.fcntl(write, fcntl.F_GETFL)
    fcntl.fcntl(write, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    assert fcntl.fcntl(write, 1032) >= 4096  # F_GETPIPE_SZ
    assert fcntl.fcntl(fcntl.fcntl(write, fcntl.F_DUPFD, 50), fcntl.F_GETFD) == 0
    assert fcntl.fcntl(fcntl.fcntl(write, fcntl.F_DUPFD_CLOEXEC, 60), fcntl.F_GETFD) == 1
    fcntl.fcntl(write, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
    number = bytearray(4)
    fcntl.ioctl(read, 0x541B, number)  # FIONREAD
    event = os.eventfd(1)
    assert os.eventfd_read(event) == 1
    try:
        os.get_terminal_size(0)
        raise AssertionError("there is a terminal")
    except OSError as error:
        assert error.errno == errno.ENOTTY
    assert not os.isatty(0)


def waiting():
    read, write = os.pipe()
    poll = select.poll()
    poll.register(write, select.POLLOUT)
    assert poll.poll(10) == [(write, select.POLLOUT)]
    assert select.select([read], [write], [], 0)[1] == [write]
    with select.epoll() as epoll:
        epoll.register(write, select.EPOLLOUT)
        assert epoll.poll(0.01) == [(write, select.EPOLLOUT)]


def positioned_files():
    number = os.open("p", os.O_RDWR | os.O_CREAT, 0o600)
    os.posix_fallocate(number, 0, 100)
    assert os.pwrite(number, b"abc", 50) == 3 and os.pread(number, 3, 50) == b"abc"
    parts = [bytearray(2), bytearray(1)]
    assert os.pwritev(number, [b"de", b"f"], 53) == 3 == os.preadv(number, parts, 53)
    assert os.pwritev(number, [b"g"], 56, os.RWF_SYNC) == 1 and bytes(parts[0]) == b"de"
    assert os.preadv(number, [bytearray(1)], 56, os.RWF_HIPRI) == 1
    os.posix_fadvise(number, 0, 0, os.POSIX_FADV_SEQUENTIAL)
    os.ftruncate(number, 60)
    os.fdatasync(number)
    os.fsync(number)
    os.fchmod(number, 0o644)
    assert os.lseek(number, 0, os.SEEK_END) == 60
    other = os.open("q", os.O_RDWR | os.O_CREAT)
    os.lseek(number, 0, os.SEEK_SET)
    assert os.sendfile(other, number, 0, 10) == 10
    os.copy_file_range(number, other, 10)
    if os.getcwd() == "/tmp":  # elsewhere others would see a lock on a file that all read
        fcntl.flock(number, fcntl.LOCK_EX)
        whose = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        answer = fcntl.fcntl(number, fcntl.F_GETLK, whose)
        assert struct.unpack("hhqqi4x", answer)[0] == fcntl.F_UNLCK
    fcntl.lockf(number, fcntl.LOCK_SH | fcntl.LOCK_NB)
    fcntl.lockf(number, fcntl.LOCK_EX)  # waits where it has to
    fcntl.lockf(number, fcntl.LOCK_UN)
    assert os.fstatvfs(number).f_bsize > 0
    assert os.listxattr(number) == []
    for ask in (lambda: os.getxattr(number, "user.x"), lambda: os.getxattr("p", "user.x")):
        try:
            ask()
            raise AssertionError("there is an attribute")
        except OSError as error:
            assert error.errno in (errno.ENODATA, errno.ENOTSUP)
    os.listxattr("p"), os.listxattr("p", follow_symlinks=False)
    try:
        os.getxattr("p", "user.x", follow_symlinks=False)
    except OSError as error:
        assert error.errno in (errno.ENODATA, errno.ENOTSUP)


def names():
    os.mkdir("d")
    here = os.open("d", os.O_RDONLY | os.O_DIRECTORY)
    os.mkdir("e", dir_fd=here)
    os.rmdir("e", dir_fd=here)
    open("d/f", "w").close()
    os.link("f", "g", src_dir_fd=here, dst_dir_fd=here)
    os.symlink("f", "s", dir_fd=here)
    assert os.readlink("s", dir_fd=here) == "f" == os.readlink("d/s")
    os.rename("g", "h", src_dir_fd=here, dst_dir_fd=here)
    os.replace("d/h", "d/i")
    os.chmod("f", 0o640, dir_fd=here)
    assert os.access("f", os.R_OK, dir_fd=here) and os.access("d/f", os.R_OK)
    assert os.access("f", os.R_OK, dir_fd=here, follow_symlinks=False)
    assert os.access("d/f", os.R_OK, effective_ids=True)
    os.mkfifo("m")
    os.mkfifo("n", dir_fd=here)
    assert stat.S_ISFIFO(os.stat("m").st_mode)
    os.truncate("d/f", 3)
    os.utime("d/f", ns=(1, 2), follow_symlinks=False)
    assert os.stat("f", dir_fd=here).st_size == 3 and os.lstat("d/s").st_size == 1
    os.fchdir(here)
    assert os.getcwd().endswith("/d") and sorted(os.listdir(here)) == ["f", "i", "n", "s"]
    os.chdir("..")
    os.unlink("s", dir_fd=here)
    os.umask(os.umask(0o077))
    assert os.statvfs(".").f_files > 0
    shutil.rmtree("d")
    with tempfile.NamedTemporaryFile() as file, tempfile.SpooledTemporaryFile(4) as spooled:
        file.write(b"x")
        spooled.write(b"more than fits")
    with tempfile.TemporaryFile() as file:
        file.write(b"x")


def memory():
    view = bytearray(4 << 20)
    for _ in range(8):
        view.extend(bytes(4 << 20))  # moved by the kernel, not copied
    assert len(view) == 36 << 20
    with mmap.mmap(-1, 1 << 21, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as pages:
        for advice in (
            mmap.MADV_NORMAL,
            mmap.MADV_RANDOM,
            mmap.MADV_SEQUENTIAL,
            mmap.MADV_WILLNEED,
            mmap.MADV_DONTNEED,
            mmap.MADV_FREE,
            mmap.MADV_HUGEPAGE,
            mmap.MADV_NOHUGEPAGE,
            mmap.MADV_DONTDUMP,
            mmap.MADV_DODUMP,
            18,  # MADV_WIPEONFORK
        ):
            pages.madvise(advice)
        pages.resize(1 << 22)
        for advice in (mmap.MADV_MERGEABLE, 21):  # MADV_PAGEOUT
            try:
                pages.madvise(advice)
                raise AssertionError("advice that others would notice was taken")
            except OSError as error:
                assert error.errno == errno.EINVAL  # as by a kernel without it


def identities():
    assert os.getuid() == os.geteuid() == os.getresuid()[0]
    assert os.getgid() == os.getegid() == os.getresgid()[0]
    assert isinstance(os.getgroups(), list)
    assert os.getpid() > 1 and (os.getppid() == 1) == (os.getcwd() == "/tmp")
    assert os.getpgid(0) == os.getpgrp() and os.getsid(0) > 0
    assert threading.get_native_id() == os.getpid()
    assert os.getpriority(os.PRIO_PROCESS, 0) >= 0
    assert os.cpu_count() > 0 and len(os.sched_getaffinity(0)) > 0
    os.sched_yield()
    policy = os.sched_getscheduler(0)
    assert os.sched_get_priority_min(policy) <= os.sched_get_priority_max(policy)
    assert os.sched_getparam(0).sched_priority == 0 and os.sched_rr_get_interval(0) >= 0
    assert os.times().user >= 0 and os.uname().sysname == platform.system()
    assert os.sysconf("SC_PHYS_PAGES") > 0 and os.sysconf("SC_AVPHYS_PAGES") > 0
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime >= 0
    assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)


def children():
    if os.getppid() != 1:
        return  # without a pid namespace, only the cell's first process can be signalled by number
    child = os.fork()
    if child == 0:
        os.setsid()
        os._exit(3)
    assert os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT).si_pid == child
    try:
        os.waitid(os.P_PGID, os.getpgid(0), os.WEXITED | os.WNOHANG)
    except ChildProcessError:
        pass  # it has left the group already
    assert os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT).si_status == 3
    assert os.wait4(child, 0)[1] == 3 << 8
    ready, begin = os.pipe()
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        os.write(begin, b".")
        select.poll().poll(30_000)
    os.read(ready, 1)
    time.sleep(0.2)  # in which it gets to wait
    os.kill(child, signal.SIGSTOP)
    os.waitpid(child, os.WUNTRACED)
    os.kill(child, signal.SIGCONT)
    time.sleep(0.2)  # in which the kernel has the child go on with its call
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def signals():
    seen = []
    signal.signal(signal.SIGALRM, lambda *_: seen.append(1))
    signal.alarm(1)
    signal.pause()
    signal.setitimer(signal.ITIMER_REAL, 10)
    assert signal.getitimer(signal.ITIMER_REAL)[0] > 9
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    os.kill(os.getpid(), signal.SIGUSR1)
    assert signal.sigpending() == {signal.SIGUSR1} and seen == [1]
    assert signal.sigtimedwait([signal.SIGUSR1], 1).si_signo == signal.SIGUSR1
    signal.signal(signal.SIGUSR2, lambda *_: seen.append(2))
    signal.pthread_kill(threading.get_ident(), signal.SIGUSR2)
    assert seen == [1, 2]
    with open("trace", "w") as file:
        faulthandler.enable(file)
        faulthandler.dump_traceback(file)
        faulthandler.disable()


def clocks():
    for name in ("monotonic", "perf_counter", "process_time", "thread_time", "time"):
        assert time.get_clock_info(name).resolution > 0
    assert time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID) > 0
    assert time.clock_gettime(time.pthread_getcpuclockid(threading.get_ident())) > 0
    time.sleep(0.001)
    assert len(os.urandom(16)) == 16


async def pairs():
    """Both ends of a local pair, as libraries of asyncio use them."""
    one, other = asyncio.base_events.socket.socketpair()
    assert one.getsockopt(1, 3) == 1  # SOL_SOCKET, SO_TYPE: a stream
    assert one.getsockopt(1, 4) == 0  # SO_ERROR
    assert min(one.getsockopt(1, name) for name in (7, 8)) > 0  # SO_SNDBUF, SO_RCVBUF
    same = asyncio.base_events.socket.socket(fileno=os.dup(one.fileno()))
    assert same.family == 1 == same.getsockopt(1, 39)  # SO_PROTOCOL was asked for, and SO_DOMAIN
    same.close()
    try:
        one.getsockopt(1, 17, 12)  # SO_PEERCRED
        raise AssertionError("it tells who is at the other end")
    except OSError as error:
        assert error.errno == errno.ENOPROTOOPT
    reader, writer = await asyncio.open_connection(sock=one)
    loop = asyncio.get_running_loop()
    other.setblocking(False)
    await loop.sock_sendall(other, b"line\n")
    assert await reader.readline() == b"line\n"
    writer.write(b"back")
    await writer.drain()
    assert await loop.sock_recv(other, 4) == b"back"
    writer.write_eof()
    assert await loop.sock_recv(other, 4) == b""
    other.getpeername(), other.getsockname()
    writer.close()
    other.close()


def refused():
    """What is not there says so in the way that Python code expects."""
    for ask in (
        lambda: os.execv("/python/bin/python3", ["python3"]),
        lambda: os.posix_spawn("/python/bin/python3", ["python3"], {}),
        lambda: os.mknod("device", stat.S_IFCHR | 0o600, 0x103),
        lambda: os.setuid(0),
        lambda: os.nice(-1),
    ):
        try:
            ask()
            raise AssertionError("it was allowed")
        except OSError as error:
            assert error.errno in (errno.EPERM, errno.EACCES)
    try:
        import subprocess  # noqa: F401
    except ImportError:
        return
    raise AssertionError("subprocess can be imported")


def main():
    assert open(0).read() == ""
    for part in (
        descriptors,
        waiting,
        positioned_files,
        names,
        memory,
        identities,
        children,
        signals,
        clocks,
        refused,
    ):
        part()
    asyncio.run(pairs())
    return True
