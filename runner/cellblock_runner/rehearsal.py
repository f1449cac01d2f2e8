"""What a zygote does last: run as its cells will, until nothing changes any more.

The interpreter notes what it meets: specialized instructions, its cache of methods, symbols that
are bound at their first use. What is noted here, no cell writes down again on a page of its own.
"""

import sys
from _socket import AF_UNIX, SHUT_WR, SOCK_SEQPACKET, socketpair

from . import cell, gather, module, seed

_TIMES = 20  # CPython specializes after 8 calls at most
# From 3.12 on nothing counts references to what a zygote has loaded; and to profile there would
# leave a mark that each piece of code looks at, and adopts, when it runs next.
_COUNTED = sys.version_info < (3, 12)

_kept: list = []


def settle_in(pack: object) -> None:
    """Lay what every run uses together, and rehearse. `pack` is that of `finish`."""
    if _COUNTED:
        gather.renew(_rehearse)
        seed.prepare()  # what it found refers to what was before
    pack()  # what a rehearsal makes, a run makes again in its place
    _kept.append(slice(None))  # CPython keeps one for reuse: the next lies where all else does
    for _ in range(_TIMES):
        _rehearse()


def _rehearse() -> None:
    seed.reseed()
    _serve()
    cell.rehearse()


def _serve() -> None:
    """Serve the small job as a cell serves a job, with nobody at the other end.

    What would change the process for good is left out: see `settle`.
    """
    ours, theirs = socketpair(AF_UNIX, SOCK_SEQPACKET)
    undo, cell.quieten = cell.quieten, _nothing
    module.ordinary.rehearse(True)
    try:
        theirs.send(cell._rehearsal)
        theirs.shutdown(SHUT_WR)
        cell._serve(ours.fileno(), None, (), False)
    finally:
        module.ordinary.rehearse(False)
        cell.quieten = undo
        ours.close()
        theirs.close()
        module.forget()


def _nothing() -> None:
    pass
