"""The end of a program: what Python does at exit with what a script has left.

The callbacks of atexit are called, which shuts logging down and calls what `weakref.finalize` was
told. Then the script's modules are dropped, so that its objects end, and the files among them are
written out. Threads and children are not waited for: they are killed once the answer is out.

All of it may run code of the script, after its result has been encoded.
"""

import _io
import atexit
import gc
import sys

from . import own

__builtins__ = own.NAMES

_call_back, _unregister = atexit._run_exitfuncs, atexit.unregister
_collect, _get_objects = gc.collect, gc.get_objects
_modules, _Module, _Text = sys.modules, type(sys), _io.TextIOWrapper
_STREAMS = (_Text, _io.BufferedWriter, _io.BufferedRandom)
_program = _modules["__main__"]


def tables() -> list:
    """What waits for a callback that was registered before the script came."""
    weakref, logging = _modules.get("weakref"), _modules.get("logging")
    found = (getattr(weakref, "finalize", None), "_registry"), (logging, "_handlerList")
    return [getattr(owner, name) for owner, name in found if hasattr(owner, name)]


def run(has_objects: object, source: str, home: str) -> None:
    """Do it all, whatever may raise in between.

    `has_objects(source)` tells whether any object is left to which its end may matter.
    """
    for step in (_forgo_waiting, _call_back):
        try:
            step()
        except BaseException:  # what compares the callbacks is the script's
            pass
    if has_objects(source):
        _flush_streams()  # what is garbage may be taken apart in any order
        _ignore_unclosed()
        # What is reachable is put into order: files come before what lies below them. Python's own
        # end does the same.
        _collect()
        _drop_modules(home + "/")
        _collect()
        if has_objects(""):
            _flush_streams()  # of a thread, or of a module that is not the script's


def _forgo_waiting() -> None:
    """multiprocessing would wait for its processes."""
    util = _modules.get("multiprocessing.util")
    if util is not None:
        _unregister(util._exit_function)


def _drop_modules(home: str) -> None:
    _modules["__main__"] = _program
    for name, module in list(_modules.items()):
        path = vars(module).get("__file__") if type(module) is _Module else None
        if name == "script" or type(path) is str and path.startswith(home):
            _modules.pop(name, None)


def _ignore_unclosed() -> None:
    """Where a script has such warnings shown, they would name a line of this file."""
    warnings = _modules.get("warnings")
    try:
        warnings.simplefilter("ignore", ResourceWarning)
    except BaseException:  # not imported, or the script's own
        pass


def _flush_streams() -> None:
    """Plain files only: compressed ones would notice, and are whole by their own end alone."""
    for stream in [one for one in _get_objects() if type(one) in _STREAMS]:
        try:
            if type(stream) is not _Text or type(stream.buffer) in _STREAMS:
                stream.flush()
        except BaseException:  # closed, detached, or full
            pass
