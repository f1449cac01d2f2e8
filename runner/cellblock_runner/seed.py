"""Randomness after a fork: whatever the zygote has drawn or cached must not repeat in its cells."""

import os
import sys

from . import own

__builtins__ = own.NAMES

_modules = sys.modules


def reseed() -> None:
    """Give every generator and cached secret of the process new state. Touches only what is imported.

    OpenSSL's generator is left out: it reseeds by itself when it finds another pid than it was made
    under, and a cell's (2) is never the zygote's (1). To touch it here would load its providers,
    which costs every cell more than a millisecond.
    """
    for name, step in _STEPS:
        module = _modules.get(name)
        if module is not None:
            step(module)


def _random(random) -> None:
    random.seed()  # the instance behind the module's functions


def _numpy_random(numpy_random) -> None:
    # The legacy global RandomState. Words rather than None: numpy then skips its slow entropy pool.
    words = os.urandom(64)
    numpy_random.seed([int.from_bytes(words[at : at + 4], "little") for at in range(0, 64, 4)])


def _tempfile(tempfile) -> None:
    tempfile._name_sequence = None
    tempfile.tempdir = None  # TMPDIR may come with the job


def _uuid(uuid) -> None:
    # uuid1's node is random where no network card can be seen, and then the same in every fork.
    for name in ("_node", *(name for name in vars(uuid) if name.startswith("_last_"))):
        if name in vars(uuid):
            setattr(uuid, name, None)


def _multiprocessing(process) -> None:
    process.current_process().authkey = os.urandom(32)  # drawn when the module was imported


_STEPS = (
    ("random", _random),
    ("numpy.random", _numpy_random),
    ("tempfile", _tempfile),
    ("uuid", _uuid),
    ("multiprocessing.process", _multiprocessing),
)
