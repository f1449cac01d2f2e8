"""Random generators that packages made when they were imported, as `rng = random.Random()` in a
module does: a fork must not draw the numbers that another fork draws from its copy.

Found among the collector's objects, once, in the zygote; most environments have none. A generator
that its package gave a seed is left alone: it draws the same numbers in every interpreter.
"""

import _random
import gc
import os
import random
import sys
from functools import partial

from . import own

__builtins__ = own.NAMES

_modules, _urandom = sys.modules, os.urandom
_get_objects = gc.get_objects
_BYTES = 32  # of a seed
_DRAWN = 1 << 64  # numpy draws a seed of 128 bits where it is given none


class watch:
    """Notes which generators of Python are given a seed, from now on until `stop`."""

    def __init__(self):
        self._seed = seed = random.Random.seed
        self._given = given = {}

        def noting(generator, *args, **kwargs):
            given[id(generator)] = (generator, (args or tuple(kwargs.values()) or (None,))[0])
            return seed(generator, *args, **kwargs)

        random.Random.seed = noting

    def stop(self):
        random.Random.seed = self._seed
        given = self._given.values()
        _seeded.extend(generator for generator, value in given if value is not None)


_seeded: list = []
unknown: list = []  # the classes of those that could not be given a new state


def steps() -> list:
    """What a fork calls to give each of them a state of its own."""
    numpy = _modules.get("numpy.random")
    unknown.clear()
    kept = {id(generator) for generator in _seeded}
    found = []
    for thing in _get_objects():
        kind = type(thing)
        if issubclass(kind, random.Random):
            step = None if id(thing) in kept else _python(thing)
        elif numpy is not None and issubclass(kind, (numpy.BitGenerator, numpy.RandomState)):
            step = _numpy(numpy, kind, thing)
        else:
            continue
        if step is not None and _works(step, kind):
            found.append(step)
    return found


def _works(step, kind) -> bool:
    try:
        step()
        return True
    except Exception:  # a package's own class, which does not behave as its base does
        unknown.append(f"{kind.__module__}.{kind.__qualname__}")
        return False


def _python(generator) -> object:
    # The module's own is seeded in any case, and one of the system has no state.
    if generator is random._inst or isinstance(generator, random.SystemRandom):
        return None
    return partial(_renew_python, generator)


def _renew_python(generator) -> None:
    _random.Random.seed(generator)
    generator.gauss_next = None


def _numpy(numpy, kind, generator) -> object:
    if issubclass(kind, numpy.RandomState):
        if _is_drawn(generator._bit_generator):  # which is found by itself
            state = generator.get_state(legacy=False)
            generator.set_state({**state, "has_gauss": 0})  # half of a pair of normals
        return None
    if generator is numpy.mtrand._rand._bit_generator or not _is_drawn(generator):
        return None  # the global one: see `seed`
    return partial(_renew_numpy, kind, numpy.SeedSequence, generator)


def _is_drawn(generator) -> bool:
    sequence = getattr(generator, "seed_seq", None)  # public from numpy 1.25 on
    entropy = getattr(sequence or getattr(generator, "_seed_seq", None), "entropy", None)
    return isinstance(entropy, int) and entropy >= _DRAWN


def _renew_numpy(kind, sequence, generator) -> None:
    generator.state = kind(sequence(int.from_bytes(_urandom(_BYTES), "little"))).state
