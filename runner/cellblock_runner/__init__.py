"""The Python half of a cell: runs one untrusted script and answers on a packet channel.

`cell.run(fd)` serves one job. A zygote calls `preload()` and, after all imports, `finish()` before
it forks, and `reseed()` in each fork.
"""


def preload() -> None:
    """Import and exercise everything a run may need, so that forks find it warm."""
    from . import warm

    warm.preload()


def finish(home: str, modules: list, restricted: list) -> None:
    """Do, in the zygote and after all imports, what its cells would each do alike."""
    from . import cell, seed, stdio

    stdio.install_in_zygote()
    seed.prepare()
    cell.prepare(home, modules, restricted)
    cell.settle_in()


def reseed() -> None:
    """Make a fresh fork's randomness its own; call it before any user code."""
    from . import seed

    seed.reseed()
