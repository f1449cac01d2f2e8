"""The two main programs of a wall: what nsjail starts as the interpreter inside.

Both end in a cell: a sealed process of its own whose job is about to come. `zygote` forks cells
out of a warmed interpreter for as long as the server asks; `cold` becomes the one cell that it was
started for.
"""

import gc
import os
import platform
import sys
import time

from . import forkhooks

sys.path.insert(0, "/cellblock")
PACKAGES = "/packages"
HOME = "/tmp"


def zygote():
    """Warms up, then serves forks. Does not return in any process."""
    hooks = forkhooks.watch()
    wall = _wall()
    wall.gather()
    import cellblock_runner

    begun = time.monotonic()
    stage = "start"
    try:
        stage = "preload the runner"
        cellblock_runner.preload()
        for module in wall.preload:
            stage = f"preload {module}"
            __import__(module)
        stage = "exercise"
        exec(compile(wall.exercise, "<exercise>", "exec"), {"__name__": "exercise"})
        stage = "prepare for forks"
        hooks.stop()
        forkhooks.stand_in()
        cellblock_runner.finish(HOME, wall.preload, wall.restricted)
        stage = "check for threads"
        _only_one_thread()
        stage = "freeze"
        _freeze(wall)
        wall.settle()
        stage = "filter system calls"
        wall.become_zygote()
    except BaseException as error:
        wall.fatal(stage, f"{type(error).__name__}: {error}")
        os._exit(1)
    warm_ms = int((time.monotonic() - begun) * 1000)
    version = platform.python_version()
    _run(wall.serve(version, warm_ms, cellblock_runner.reseed, hooks.foreign), wall)


def cold():
    """Becomes the one cell. Does not return."""
    wall = _wall()
    import cellblock_runner.cell  # noqa: F401  here, where files may still be opened freely

    _run(wall.become_cell(platform.python_version()), wall)


def _wall():
    import site

    import cellblock_zygote

    site.addsitedir(PACKAGES)
    return cellblock_zygote.Wall()


def _run(cell, wall):
    if cell is None:  # the server has gone
        os._exit(0)
    import cellblock_runner.cell

    channel, rehearse = cell
    cellblock_runner.cell.run(channel, wall.await_job, wall.restricted, rehearse)


def _only_one_thread():
    """A fork copies one thread. Locks that another holds would stay locked in every cell."""
    threads = len(os.listdir("/proc/self/task"))
    if threads != 1:
        raise RuntimeError(
            f"{threads} threads are running after the preload; a module started them on import "
            "(set its thread count to 1, or take it off the preload list)"
        )


def _freeze(wall):
    """Moves all objects out of the collector's sight: a collection in a cell would otherwise write
    to every page that holds one, and each write copies the page."""
    gc.collect()
    wall.immortalize(gc.get_objects())
    gc.freeze()
