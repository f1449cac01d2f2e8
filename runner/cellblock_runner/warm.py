"""What a zygote does before it forks: the imports, and one turn of every path."""

import asyncio
import importlib
import inspect
import sys

from . import call, cell, encode, module, own, procfiles, report, seed, trace, where  # noqa: F401

__builtins__ = own.NAMES

_SCRIPT = """\
import json

def main(value=None):
    return {"rows": [1, 2.5, "é", None, True], "input": value}

class Callable:
    def __call__(self, value): return value

async def later():
    return 1

def fail():
    raise ValueError("example") from KeyError("cause")
"""
_ALSO = ("json", "tempfile", "random", "warnings", "contextlib", "tokenize", "importlib.machinery")


def preload() -> None:
    """Leaves no trace but warm memory: no open descriptor, no thread, no `script` module.

    Randomness is left alone, OpenSSL's above all: see `seed`.
    """
    procfiles.install()
    for name in _ALSO:
        importlib.import_module(name)
    where.learn("/nonexistent")
    module.prepare()
    module.ordinary.run(_SCRIPT, 0, None, 1 << 20, None, True)
    space = sys.modules["script"]
    encode.encode({1: (1, 2)}, 1 << 20)
    call.shape_of(space.Callable())
    inspect.getsource(space.main)
    _run_on_a_loop(space.later())
    try:
        space.fail()
    except ValueError as error:
        report.pack(report.describe(error, _SCRIPT))
    _, error = module.ordinary.run("def main(:\n", 0, None, 1 << 20, None, True)
    report.pack(report.describe(error, ""))
    module.forget()
    report.remember_modules()


def _run_on_a_loop(coroutine) -> None:
    """Not asyncio.run: it would leave the policy without a loop, unlike in a fresh interpreter."""
    try:
        loop = asyncio.new_event_loop()
    except OSError:  # sealed off from socketpair or epoll already
        coroutine.close()
        return
    loop.run_until_complete(coroutine)
    loop.close()
