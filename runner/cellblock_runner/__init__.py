"""The Python half of a cell: runs one untrusted script and answers on a packet channel.

`cell.run(fd)` serves one job. A zygote calls `preload()` once before it forks, and `reseed()` in
each fork.
"""


def preload() -> None:
    """Import and exercise everything a run may need, so that forks find it warm."""
    from . import warm

    warm.preload()


def reseed() -> None:
    """Make a fresh fork's randomness its own; call it before any user code."""
    from . import seed

    seed.reseed()
