"""The two main programs of a wall: what nsjail starts as the interpreter inside.

Both end in a cell: a sealed process of its own whose job is about to come. `zygote` forks cells
out of a warmed interpreter for as long as the server asks; `cold` becomes the one cell that it was
started for.
"""

import gc
import os
import sys
import time

from . import forkhooks, generators, threads

PACKAGES = "/packages"
HOME = "/tmp"
_MOST_SAID = 4_000  # characters of an error: it travels in one packet


def zygote(root=None):
    """Warms up, then serves forks. Does not return in any process.

    `root`: the environment's root image, where it is not the root directory: cells then have no
    namespaces, and each a directory of its own in place of /tmp.
    """
    hooks = forkhooks.watch()
    wall = _wall((root or "") + PACKAGES)
    wall.gather()
    import cellblock_runner

    begun = time.monotonic()
    started = threads.watch()
    try:
        cellblock_runner.preload()
        seeds = generators.watch()
        for module in wall.preload:
            wall.begins("import", module)
            __import__(module)
            started.note(f"the import of {module}")
        wall.begins("exercise")
        exec(compile(wall.exercise, "<exercise>", "exec"), {"__name__": "exercise"})
        started.note("the exercise")
        seeds.stop()
        wall.begins("threads")
        started.check()
        wall.begins("forks")
        if root:
            _find_time_zones(root)
        hooks.stop()
        forkhooks.stand_in()
        cellblock_runner.finish(
            HOME, wall.preload, wall.restricted, lambda: _pack(wall), wall.rehearses
        )
        started.check()
        _freeze(wall)
        wall.settle()
        cellblock_runner.settle.take_reserve()
        wall.become_zygote()
    except threads.Running as error:
        wall.fatal(str(error))
        os._exit(1)
    except BaseException as error:
        wall.fatal(f"{type(error).__name__}: {error}"[:_MOST_SAID])
        os._exit(1)
    warm_ms = int((time.monotonic() - begun) * 1000)
    version = sys.version.split()[0]  # platform's own is one that every cell would give back
    run = _runner(wall, bool(root))
    seed = cellblock_runner.seed
    _run(wall.serve(version, warm_ms, seed.repeating(), seed.reseed, hooks.foreign), run)


def cold():
    """Becomes the one cell. Does not return."""
    wall = _wall(PACKAGES)
    run = _runner(wall)  # it imports, here, where files may still be opened freely
    _run(wall.become_cell(sys.version.split()[0]), run)


def _wall(packages):
    import site

    import cellblock_zygote

    site.addsitedir(packages)
    return cellblock_zygote.Wall()


def _runner(wall, in_place=False):
    """What a cell calls, looked up ahead so that none has to."""
    from .cell import move, run

    ready, restricted = wall.await_job, wall.restricted

    def serve(channel, rehearse):
        if in_place:
            move(os.getcwd())
        run(channel, ready, restricted, rehearse)

    return serve


def _run(cell, run):
    if cell is None:  # the server has gone
        os._exit(0)
    channel, rehearse = cell
    run(channel, rehearse)


def _find_time_zones(root):
    import zoneinfo

    zoneinfo.reset_tzpath([root + "/usr/share/zoneinfo"])


def _pack(wall):
    gc.collect()  # which also empties what CPython keeps of old objects for reuse
    wall.pack()


def _freeze(wall):
    """Moves all objects out of the collector's sight: a collection in a cell would otherwise write
    to every page that holds one, and each write copies the page."""
    gc.collect()
    wall.immortalize(gc.get_objects())
    gc.freeze()
