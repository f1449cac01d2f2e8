"""Refuses the restricted modules to the script, and to nobody else.

numpy, pandas and the standard library may import whatever they need: what counts is the file of the
frame that imports. It is a courtesy, not a wall: `sys.modules` stays in reach, and the kernel does
the denying.
"""

import importlib
import sys

from . import own, where

__builtins__ = own.NAMES

_frame = sys._getframe
_real_import = own.NAMES["__import__"]
_real_import_module = importlib.import_module
_real_importlib_import = importlib.__import__

_restricted: dict = {}  # name -> the reason, None if there is none to tell
_tops: frozenset = frozenset()  # first components, which settle nearly every import at once


class RestrictedImportError(ImportError):
    """Raised in the script; an ImportError, so that `try: import x` falls back as usual."""

    def __init__(self, module: str) -> None:
        reason = _reason(module)
        why = f": {reason}" if reason else " in this environment"
        super().__init__(f"import of '{module}' is restricted{why}", name=module)


RestrictedImportError.__module__ = "builtins"  # as it prints in tracebacks


def install(restricted: dict) -> None:
    """Guard the ways in."""
    global _restricted, _tops
    if not restricted:
        return
    _restricted = dict(restricted)
    _tops = frozenset(name.partition(".")[0] for name in restricted)
    own.replace_import(__import__)
    importlib.import_module = import_module
    importlib.__import__ = _importlib_import


def __import__(name, globals=None, locals=None, fromlist=(), level=0):
    if level or type(name) is not str or name.partition(".")[0] in _tops:
        _check(name, globals, fromlist, level)
    return _real_import(name, globals, locals, fromlist, level)


def _importlib_import(name, globals=None, locals=None, fromlist=(), level=0):
    _check(name, globals, fromlist, level)
    return _real_importlib_import(name, globals, locals, fromlist, level)


def import_module(name, package=None):
    """Import a module. As importlib's own."""
    if type(name) is str and type(package) in (str, type(None)):
        dots = len(name) - len(name.lstrip("."))
        _check(name[dots:], {"__package__": package or ""}, (), dots)
    return _real_import_module(name, package)


def _check(name, globals, fromlist, level) -> None:
    """Raise if this names something restricted and the script is asking."""
    if not isinstance(name, str):
        return  # the import itself will complain
    target = _absolute(str.__str__(name), globals, level)
    if target.partition(".")[0] not in _tops:
        return
    for wanted in (target, *_members(target, fromlist)):
        if _is_restricted(wanted):
            if _asked_by_script():
                raise RestrictedImportError(wanted)
            return


def _absolute(name: str, globals, level) -> str:
    if not (isinstance(level, int) and level > 0 and isinstance(globals, dict)):
        return name
    package = globals.get("__package__") or globals.get("__name__")
    if not isinstance(package, str):
        return name
    base = package.rsplit(".", level - 1)[0]
    return f"{base}.{name}" if name else base


def _members(target: str, fromlist) -> list:
    """`from urllib import request` imports urllib.request."""
    if not isinstance(fromlist, (tuple, list)):
        return []
    return [f"{target}.{item}" for item in fromlist if type(item) is str]


def _is_restricted(name: str) -> bool:
    return _entry(name) in _restricted


def _reason(name: str) -> str | None:
    return _restricted.get(_entry(name))


def _entry(name: str) -> str:
    """The restricted module that this is, or that it is a part of; else an empty string."""
    while name and name not in _restricted:
        name = name.rpartition(".")[0]
    return name


def _asked_by_script() -> bool:
    """The nearest frame that is not the import system's, the runner's or nameless code decides."""
    frame = _frame(1)
    while frame is not None:
        filename = frame.f_code.co_filename
        if where.is_library(filename) and not where.is_runner(filename):
            return False
        # exec'd code ("<string>") counts as whoever runs it.
        if not (where.is_runner(filename) or filename.startswith("<")):
            return True
        frame = frame.f_back
    return True
