"""The files of /proc about the machine that libraries read: psutil, joblib, platform.

A cell's /proc has processes and nothing else. These few are made when they are opened, and tell of
the cell: its memory, its processors, its time.
"""

import builtins
import io
import os
import time

from cellblock_zygote import memory_limit, open_instead
from cellblock_zygote import open as _open

from . import own, where

__builtins__ = own.NAMES

_real_open, _os_open, _os_write, _os_lseek = io.open, os.open, os.write, os.lseek
_affinity, _times, _sysconf = os.sched_getaffinity, os.times, os.sysconf
_boot_time, _now = time.clock_gettime, time.time
_TEMPORARY = os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC
_TICKS, _PAGE = _sysconf("SC_CLK_TCK"), _sysconf("SC_PAGE_SIZE")

_inherited = 0  # bytes of memory that a run has not added


def install() -> None:
    """Have `open` know them, for whoever is imported from now on too."""
    global _inherited
    _inherited = _resident()
    open_instead(_real_open, frozenset(_FILES), _make)
    _open.__module__ = _real_open.__module__
    builtins.open = io.open = own.PUBLIC["open"] = _open
    os.getloadavg = getloadavg


def getloadavg() -> tuple:
    """Of the cell's own processes; the machine's load is nothing that a script may know."""
    return (0.0, 0.0, 0.0)


def _make(file: object, *arguments: object, **named: object) -> object:
    """What `open` does for one of them: a file without a name, with the text that it has now."""
    mode = arguments[0] if arguments else named.get("mode", "r")
    if named.get("opener") or type(mode) is not str or not set(mode) <= set("rbtU"):
        return _real_open(file, *arguments, **named)
    descriptor = _os_open(where.home, _TEMPORARY, 0o400)
    _os_write(descriptor, _FILES[os.fspath(file)]().encode())
    _os_lseek(descriptor, 0, 0)
    named["opener"] = lambda path, flags: descriptor
    return _real_open(file, *arguments, **named)


def _meminfo() -> str:
    total, used = memory_limit() >> 10, max(_resident() - _inherited, 0) >> 10
    free = max(total - used, 0)
    fields = {"MemTotal": total, "MemFree": free, "MemAvailable": free, "Buffers": 0, "Cached": 0}
    fields.update(SwapCached=0, Active=used, Inactive=0, SwapTotal=0, SwapFree=0, Shmem=0, Slab=0)
    return "".join(f"{name + ':':<16}{size:>8} kB\n" for name, size in fields.items())


def _resident() -> int:
    """Bytes of memory that do not lie in files."""
    try:
        with _real_open("/proc/self/statm") as file:
            sizes = file.read().split()
    except OSError:  # without namespaces nothing of /proc can be opened
        return 0
    return (int(sizes[1]) - int(sizes[2])) * _PAGE


def _cpuinfo() -> str:
    count = len(_affinity(0))
    try:
        with _real_open(where.programs + "/features") as file:
            features = file.read()
    except OSError:
        features = ""
    return "".join(
        f"processor\t: {number}\nmodel name\t: virtual processor\nphysical id\t: 0\n"
        f"siblings\t: {count}\ncore id\t\t: {number}\ncpu cores\t: {count}\n{features}\n"
        for number in range(count)
    )


def _stat() -> str:
    count, (age, _) = len(_affinity(0)), _ages()
    spent = _times()
    user, system = (
        int((own_part + childrens) * _TICKS)
        for own_part, childrens in ((spent[0], spent[2]), (spent[1], spent[3]))
    )
    idle = max(int(age * _TICKS) * count - user - system, 0)
    lines = [f"cpu  {user} 0 {system} {idle} 0 0 0 0 0 0\n"]
    for number in range(count):
        parts = (user // count, 0, system // count, idle // count)
        lines.append(f"cpu{number} {' '.join(map(str, parts))} 0 0 0 0 0 0\n")
    lines.append(f"intr 0\nctxt 0\nbtime {int(_now() - age)}\n")
    return "".join((*lines, "processes 2\nprocs_running 1\nprocs_blocked 0\nsoftirq 0\n"))


def _uptime() -> str:
    return "{:.2f} {:.2f}\n".format(*_ages())


def _ages() -> tuple:
    """Seconds since this process was made, and the same for all its processors."""
    try:
        with _real_open("/proc/self/stat") as file:
            began = int(file.read().rpartition(")")[2].split()[19]) / _TICKS
    except OSError:
        began = _boot_time(time.CLOCK_BOOTTIME)
    age = max(_boot_time(time.CLOCK_BOOTTIME) - began, 0.0)
    return age, age * len(_affinity(0))


_FILES = {
    "/proc/meminfo": _meminfo,
    "/proc/cpuinfo": _cpuinfo,
    "/proc/stat": _stat,
    "/proc/loadavg": lambda: "0.00 0.00 0.00 1/1 2\n",
    "/proc/uptime": _uptime,
    "/proc/vmstat": lambda: "pswpin 0\npswpout 0\n",
}
