"""What a zygote does last: run as its cells will, until nothing changes any more.

The interpreter notes what it meets: specialized instructions, its cache of methods, symbols that
are bound at their first use. What is noted here, no cell writes down again on a page of its own.
"""

import gc
import sys
from types import FunctionType

from . import cell, seed

_TIMES = 20  # CPython specializes after 8 calls at most
# From 3.12 on nothing counts references to what a zygote has loaded; and to profile there would
# leave a mark that each piece of code looks at, and adopts, when it runs next.
_COUNTED = sys.version_info < (3, 12)

_kept: list = []


def settle_in(pack: object) -> None:
    """Lay what every run uses together, and rehearse. `pack` is that of `finish`."""
    if _COUNTED:
        _gather_code()
    pack()  # what a rehearsal makes, a run makes again in its place
    _kept.append(slice(None))  # CPython keeps one for reuse: the next lies where all else does
    for _ in range(_TIMES):
        _rehearse()


def _rehearse() -> None:
    seed.reseed()
    cell.serve_rehearsal()
    cell.rehearse()


def _gather_code() -> None:
    """Make new code objects for what every run executes, one after another.

    Those of a module lie scattered: CPython keeps objects of each size on pages of their own, and
    most functions are for rare cases. To call one counts a reference to its code, which copies the
    page in each cell.
    """
    seen = {cell.run.__code__}
    sys.setprofile(lambda frame, event, argument: seen.add(frame.f_code))
    _rehearse()  # its end takes off whatever watches
    copies = {code: _copy(code) for code in seen}
    for function in gc.get_objects():
        if type(function) is FunctionType and function.__code__ in copies:
            function.__code__ = copies[function.__code__]


def _copy(code: object) -> object:
    """With copies of what is nested in it, such as comprehensions."""
    nested = type(code)
    return code.replace(
        co_consts=tuple(_copy(one) if type(one) is nested else one for one in code.co_consts)
    )
