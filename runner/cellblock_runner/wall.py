"""The two main programs of a wall: what nsjail starts as the interpreter inside.

Both end in a cell: a sealed process of its own whose job is about to come. `zygote` forks cells
out of a warmed interpreter for as long as the server asks; `cold` becomes the one cell that it was
started for.
"""

import gc
import os
import sys
import time

from . import forkhooks

PACKAGES = "/packages"
HOME = "/tmp"


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
        if root:
            _find_time_zones(root)
        hooks.stop()
        forkhooks.stand_in()
        cellblock_runner.finish(
            HOME, wall.preload, wall.restricted, lambda: _pack(wall), wall.rehearses
        )
        stage = "check for threads"
        _only_one_thread()
        stage = "freeze"
        _freeze(wall)
        wall.settle()
        cellblock_runner.settle.take_reserve()
        stage = "filter system calls"
        wall.become_zygote()
    except BaseException as error:
        wall.fatal(stage, f"{type(error).__name__}: {error}")
        os._exit(1)
    warm_ms = int((time.monotonic() - begun) * 1000)
    version = sys.version.split()[0]  # platform's own is one that every cell would give back
    run = _runner(wall, bool(root))
    _run(wall.serve(version, warm_ms, cellblock_runner.seed.reseed, hooks.foreign), run)


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


def _only_one_thread():
    """A fork copies one thread. Locks that another holds would stay locked in every cell."""
    threads = len(os.listdir("/proc/self/task"))
    if threads != 1:
        raise RuntimeError(
            f"{threads} threads are running after the preload; a module started them on import "
            "(set its thread count to 1, or take it off the preload list)"
        )


def _pack(wall):
    gc.collect()  # which also empties what CPython keeps of old objects for reuse
    wall.pack()


def _freeze(wall):
    """Moves all objects out of the collector's sight: a collection in a cell would otherwise write
    to every page that holds one, and each write copies the page."""
    gc.collect()
    wall.immortalize(gc.get_objects())
    gc.freeze()
