"""Which threads the imports of a zygote started, and whether it may fork all the same.

A fork copies one thread. A lock that another one holds would stay locked in every cell, and what it
does would be done in none.
"""

import atexit
import os
import sys
import threading
import time

_TASKS = "/proc/self/task"
_PATIENCE = 2.0  # seconds, for a thread that ends by itself, or that is about to sleep

# Threads that sleep until they are sent something, and that no cell misses, by the name that the
# kernel has of them, which is cut at 15 bytes. With each, the package whose `atexit` functions wait
# for that thread, and so would never return in a cell.
_HARMLESS = {
    # Deletes what polars has moved from memory to files, which end with a cell's /tmp anyway.
    "polars-ooc-clea": "polars",
}


class Running(Exception):
    """There are threads beside the zygote's own."""


class watch:
    """Notes who starts threads, from now on until they are checked."""

    def __init__(self):
        self._known = set(os.listdir(_TASKS))
        self._started = {}  # by thread: what started it
        self._at_exit = []
        self._register = atexit.register
        atexit.register = self

    def __call__(self, function, *args, **kwargs):
        package = sys._getframe(1).f_globals.get("__name__", "").partition(".")[0]
        self._at_exit.append((package, function))
        return self._register(function, *args, **kwargs)

    def note(self, cause):
        """What is new was started by `cause`."""
        for thread in os.listdir(_TASKS):
            if thread not in self._known:
                self._known.add(thread)
                self._started[thread] = cause

    def check(self):
        """Refuse to go on beside a thread that is not known to be harmless."""
        atexit.register = self._register
        deadline = time.monotonic() + _PATIENCE
        while (found := self._running()) and time.monotonic() < deadline:
            if all(name in _HARMLESS and state == "S" for _, name, state in found):
                break
            time.sleep(0.01)
        else:
            self._refuse(found)
        packages = {_HARMLESS[name] for _, name, _ in found}
        for package, function in self._at_exit:
            if package in packages:
                atexit.unregister(function)

    def _running(self):
        """The other threads: what started each, its name, and its state as the kernel has it."""
        found, named = [], {thread.native_id: thread.name for thread in threading.enumerate()}
        for thread in os.listdir(_TASKS):
            if int(thread) == os.getpid():
                continue
            try:
                with open(f"{_TASKS}/{thread}/stat") as file:
                    # The name is in parentheses, and may hold some itself. proc_pid_stat(5)
                    name, _, rest = file.read().partition(" (")[2].rpartition(") ")
            except OSError:
                continue  # it has just ended
            name = named.get(int(thread), name)
            found.append((self._started.get(thread, "the preload"), name, rest[0]))
        return found

    def _refuse(self, found):
        foreign = [entry for entry in found if entry[1] not in _HARMLESS] or found
        if not foreign:
            return
        told = ", ".join(sorted({f"{name} by {cause}" for cause, name, _ in foreign}))
        count = "a thread was" if len(foreign) == 1 else f"{len(foreign)} threads were"
        raise Running(
            f"{count} started ({told}), and a fork has only one thread: take the module off the "
            "preload list, or have it start none, by a variable of its own or a thread count of 1"
        )
