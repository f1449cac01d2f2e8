"""Quiet, after the script: nothing that it set up may still run in the runner's own code.

Trace functions, signal handlers, timers and limits are all undone. Each step is
tried on its own, for a handler or an audit hook of the script may raise in the middle of any of
them.
"""

import _signal
import gc
import sys

from . import own
from .jsonc import lift_digit_limit

__builtins__ = own.NAMES

_settrace, _setprofile = sys.settrace, sys.setprofile
_setrecursionlimit, _setswitchinterval = sys.setrecursionlimit, sys.setswitchinterval
_gc_disable = gc.disable
_getsignal, _signal_set, _setitimer = _signal.getsignal, _signal.signal, _signal.setitimer
_IGNORE, _SIGNALS = _signal.SIG_IGN, range(1, _signal.NSIG)
_TIMERS = (_signal.ITIMER_REAL, _signal.ITIMER_VIRTUAL, _signal.ITIMER_PROF)

_TRIES = 20

# Address space to fall back on when the script has run into its limit. Never touched, so it costs
# no memory.
_RESERVED = 4 << 20
_reserve = [bytes(_RESERVED)]


def take_reserve() -> None:
    """In a zygote that is done: take it anew, where the C library maps what is large by itself. To
    give back a part of its heap writes to the parts around."""
    _reserve[:] = [bytes(_RESERVED)]


def settle() -> None:
    """Undo what the script may have left running. Best effort: never raises by itself."""
    for step in STEPS:
        for _ in range(_TRIES):
            try:
                step()
                break
            except BaseException:  # a trace function or handler of the script, once more
                continue


def _stop_tracing() -> None:
    _settrace(None)
    _setprofile(None)


def _stop_timers() -> None:
    for timer in _TIMERS:
        _setitimer(timer, 0)


def _ignore_signals() -> None:
    for number in _SIGNALS:
        handler = _getsignal(number)
        if handler is not None and type(handler) is not int:  # neither SIG_DFL nor SIG_IGN
            _signal_set(number, _IGNORE)


def _relax_limits() -> None:
    _setrecursionlimit(3_000)
    lift_digit_limit()
    _gc_disable()
    # Busy threads of the script would otherwise hold up every packet by five milliseconds.
    _setswitchinterval(1e-5)
    _reserve.clear()


STEPS = (_stop_timers, _ignore_signals, _stop_tracing, _relax_limits)

# Python 3.12's sys.monitoring, for cell.py: a raising callback on function starts stays in force
# and would stop every call to a function here, so the frame that is running already must take it
# off.
_monitoring = getattr(sys, "monitoring", None)
TOOLS = tuple(range(6)) if _monitoring else ()
get_tool, set_events = (
    (_monitoring.get_tool, _monitoring.set_events) if _monitoring else (None, None)
)
