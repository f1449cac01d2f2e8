"""Who wants to be called around forks (`os.register_at_fork`), and whether anybody has to be.

A cell is forked from a process of one thread. Most hooks of the standard library make locks anew
that other threads might have held, and cost each cell some hundred pages and the zygote as many.
Where all hooks are known to be of that kind, or what they do is done elsewhere, none is called.
"""

import os
import sys

_KNOWN = frozenset(
    (
        "asyncio.events",  # forgets the loop that runs: none does
        "concurrent.futures.thread",  # a lock
        "logging",  # locks
        "random",  # a new seed: see `seed`
        "threading",  # locks, other threads, and the thread id: see `stand_in`
    )
)
_SCRIPT = 2  # the script's process in its pid namespace, where init is 1


class watch:
    """Notes who registers, from now on until `stop`."""

    def __init__(self):
        self.foreign = False
        self._register = os.register_at_fork
        os.register_at_fork = self

    def __call__(self, **hooks):
        if sys._getframe(1).f_globals.get("__name__") not in _KNOWN:
            self.foreign = True
        self._register(**hooks)

    def stop(self):
        os.register_at_fork = self._register


def stand_in():
    """Do ahead of the forks what is the same in each."""
    threading = sys.modules.get("threading")
    if threading is not None:
        threading.main_thread()._native_id = _SCRIPT
