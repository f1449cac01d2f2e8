"""What compiled libraries ask of libc that Python itself does not, and what libc asks of the kernel
elsewhere: on another architecture, an older kernel, a clock that it cannot read by itself."""

import os
import signal
import sys

import numpy  # has ctypes with it

_, ctypes = numpy, sys.modules["ctypes"]
libc = ctypes.CDLL(None, use_errno=True)

# Kept for elsewhere, by name: the number on x86_64, and on aarch64 where it is there.
KEPT = {
    "fstat": (5, 80),
    "faccessat": (269, 48),
    "gettimeofday": (96, 169),
    "time": (201, None),
    "getcpu": (309, 168),
    "ioctl": (16, 29),
    "futex": (202, 98),
}
TCGETS2 = 0x802C542A


def library():
    pair = os.pipe()
    assert libc.dup(pair[1]) > 2

    class Poll(ctypes.Structure):
        _fields_ = [("fd", ctypes.c_int), ("events", ctypes.c_short), ("revents", ctypes.c_short)]

    assert libc.ppoll(ctypes.byref(Poll(pair[1], 4, 0)), 1, None, None) == 1
    queue = libc.epoll_create1(0)
    assert libc.epoll_create(1) > 2 and libc.creat(b"created", 0o600) > 2
    assert libc.epoll_pwait(queue, ctypes.create_string_buffer(64), 1, 0, None) == 0
    assert libc.usleep(100) == 0
    file = libc.creat(b"parts", 0o600)
    assert libc.pwritev(file, None, 0, 0) == 0 and libc.preadv(0, None, 0, 0) in (0, -1)
    assert libc.pthread_setname_np(ctypes.c_void_p(self_thread()), b"worker") == 0
    name = ctypes.create_string_buffer(16)
    assert libc.prctl(16, name) == 0 and name.value == b"worker"
    info = ctypes.create_string_buffer(256)
    assert libc.statx(-100, b"/tmp", 0, 0x7FF, info) == 0
    version = int(os.uname().machine != "aarch64")  # of the structure, for glibc before 2.33
    mutex, attributes = ctypes.create_string_buffer(64), ctypes.create_string_buffer(16)
    assert libc.pthread_mutexattr_init(attributes) == 0
    assert libc.pthread_mutexattr_setprotocol(attributes, 1) == 0  # PTHREAD_PRIO_INHERIT
    assert libc.pthread_mutex_init(mutex, attributes) in (0, 95)  # ENOTSUP: libc knows what to do
    assert libc.__xstat(version, b".", info) == 0 and libc.__lxstat(version, b".", info) == 0


def self_thread():
    libc.pthread_self.restype = ctypes.c_ulong
    return libc.pthread_self()


def suspended():
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    assert libc.sigsuspend(ctypes.create_string_buffer(128)) == -1
    assert ctypes.get_errno() == 4  # EINTR, which is how it returns


def elsewhere():
    column = int(os.uname().machine == "aarch64")
    place = ctypes.create_string_buffer(256)
    calls = {
        "fstat": (0, place),
        "faccessat": (-100, b"/tmp", os.W_OK),
        "gettimeofday": (place, None),
        "time": (None,),
        "getcpu": (place, None, None),
    }
    for name, arguments in calls.items():
        if KEPT[name][column] is not None:
            assert libc.syscall(KEPT[name][column], *arguments) >= 0, name
    # As locks of other runtimes wake and wait: Rust's, Abseil's.
    word, bits = ctypes.c_int(0), ctypes.c_uint(0xFFFFFFFF)
    for operation in (
        0 | 128,
        9 | 128,
    ):  # FUTEX_WAIT, FUTEX_WAIT_BITSET for what has changed already
        waited = libc.syscall(
            KEPT["futex"][column], ctypes.byref(word), operation, 1, None, None, bits
        )
        assert waited == -1 and ctypes.get_errno() == 11  # EAGAIN
    for operation in (1 | 128, 10 | 128):  # FUTEX_WAKE, FUTEX_WAKE_BITSET, with nobody there
        woken = libc.syscall(
            KEPT["futex"][column], ctypes.byref(word), operation, 1, None, None, bits
        )
        assert woken == 0
    assert libc.syscall(KEPT["ioctl"][column], 0, TCGETS2, place) == -1
    assert ctypes.get_errno() in (22, 25)  # EINVAL or ENOTTY: it is no terminal


def main():
    library()
    suspended()
    elsewhere()
    return True
