"""Randomness after a fork: whatever the zygote has drawn or cached must not repeat in its cells."""

import _random as _random_module
import os
import sys
from functools import partial

from . import generators, own

__builtins__ = own.NAMES

_modules, _urandom = sys.modules, os.urandom
_WORDS = 624  # of MT19937
_EXHAUSTED = _WORDS.to_bytes(4, sys.byteorder)  # the position from which all words are made anew
_steps: tuple = ()


def reseed() -> None:
    """Give every generator and cached secret of a fork new state, where `prepare` found one.

    OpenSSL's generator is not among them: it reseeds when it finds another pid than it was made
    under, and a cell's (2) is never the zygote's (1). To touch it here would load its providers,
    which costs every cell more than a millisecond.
    """
    for step in _steps:
        step()


def prepare() -> None:
    """In the zygote: forget what it has drawn, so that each fork draws its own, and find out where
    the rest is kept."""
    global _steps
    loaded = [(_modules[name], once) for name, once in _MODULES if _modules.get(name)]
    steps = [once(module) for module, once in loaded]
    _steps = (*filter(None, steps), *generators.steps())


def repeating() -> list:
    """In the zygote: what no step of a fork seeds anew, in a sentence for the operator each."""
    loaded = [(name, call) for name, call in _REPEATING if name in _modules]
    by_library = [
        f"{name}'s random numbers repeat from cell to cell until a script calls {call}"
        for name, call in loaded
    ]
    by_class = [
        f"the random generator of class {name} that a module made repeats from cell to cell"
        for name in generators.unknown
    ]
    return by_library + by_class


def _random(random) -> object:
    random._inst.gauss_next = None
    # What random.seed() does, without a frame of Python's.
    return partial(_random_module.Random.seed, random._inst)


def _numpy_random(numpy_random) -> object:
    """Find the state of numpy's legacy global generator, to overwrite it in a fork.

    `numpy.random.seed` runs through so much of numpy that each fork would copy some 180 pages;
    writing its 624 words where `state_address`, which is public, says they are copies two. Tried
    here, and left alone where the words do not turn up in `get_state`.
    """
    import ctypes

    try:
        address = numpy_random.mtrand._rand._bit_generator.ctypes.state_address
        key = (ctypes.c_uint8 * (4 * _WORDS)).from_address(address)
        position = (ctypes.c_uint8 * 4).from_address(address + 4 * _WORDS)
        numpy_random.seed(0)  # drops a cached second half of a normal pair
        state, place = memoryview(key).cast("B"), memoryview(position).cast("B")
        state[:], place[:] = _urandom(len(state)), _EXHAUSTED
        _, words, at, cached, _ = numpy_random.get_state()
        if words.tobytes() == bytes(state) and at == _WORDS and not cached:
            return partial(_renew, state, place)
    except (AttributeError, TypeError, ValueError):
        pass  # another generator than MT19937, or another numpy: `seed` does it
    return partial(_seed_numpy, numpy_random.seed)


def _renew(state: memoryview, position: memoryview) -> None:
    state[:] = _urandom(len(state))
    position[:] = _EXHAUSTED


def _seed_numpy(seed) -> None:
    # Words rather than None: numpy then skips its slow entropy pool.
    words = _urandom(64)
    seed([int.from_bytes(words[at : at + 4], "little") for at in range(0, 64, 4)])


def _tempfile(tempfile) -> None:
    tempfile._name_sequence = None
    tempfile.tempdir = None  # TMPDIR may come with the job


def _uuid(uuid) -> None:
    # uuid1's node is random where no network card can be seen, and then the same in every fork.
    for name in ("_node", *(name for name in vars(uuid) if name.startswith("_last_"))):
        if name in vars(uuid):
            setattr(uuid, name, None)


def _multiprocessing(process) -> object:
    return partial(_draw_key, process)  # drawn when the module was imported


def _draw_key(process) -> None:
    process.current_process().authkey = _urandom(32)


# What each does once; what it returns is called in each fork.
_MODULES = (
    ("random", _random),
    ("numpy.random", _numpy_random),
    ("multiprocessing.process", _multiprocessing),
    ("tempfile", _tempfile),
    ("uuid", _uuid),
)

# Libraries with a generator of their own that no Python object leads to, and what seeds it.
_REPEATING = (
    ("torch", "torch.seed()"),
    ("tensorflow", "tensorflow.random.set_seed()"),
    ("mxnet", "mxnet.random.seed()"),
)
