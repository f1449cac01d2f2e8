"""The Python half of a cell: runs one untrusted script and answers on a packet channel.

`cell.run(fd)` serves one job. A zygote calls `preload()` and, after all imports, `finish()` before
it forks, and `seed.reseed()` in each fork.
"""


def preload() -> None:
    """Import and exercise everything a run may need, so that forks find it warm."""
    from . import warm

    warm.preload()


def finish(home: str, modules: list, restricted: dict, pack: object, rehearses: bool) -> None:
    """Do, in the zygote and after all imports, what its cells would each do alike.

    `pack()` has what is made after it lie together, and leaves alone what is free among the old.
    `rehearses`: run as a cell will, too.
    """
    from . import cell, rehearsal, seed, stdio

    pack()
    stdio.install_in_zygote()
    seed.prepare()
    cell.prepare(home, modules, restricted)
    if rehearses:
        rehearsal.settle_in(pack)
