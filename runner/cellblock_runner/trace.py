"""Tracebacks through the standard library's formatter: Python's own text, filtered.

Imported on the first error (or by preload), because `traceback` is slow to import.
"""

import traceback

from . import own, where

__builtins__ = own.NAMES

_TracebackException = traceback.TracebackException


def render(error: BaseException, trace: object, frames_max: int) -> str:
    """The whole text, chained exceptions and groups included."""
    limit = None if _length(trace) <= frames_max else -frames_max // 2
    report = _TracebackException(type(error), error, trace, limit=limit)
    seen, todo = set(), [report]
    while todo:
        part = todo.pop()
        if part is None or id(part) in seen:
            continue
        seen.add(id(part))
        _clean(part)
        todo += (part.__cause__, part.__context__, *(getattr(part, "exceptions", None) or ()))
    return "".join(report.format())


def _length(trace: object) -> int:
    length = 0
    while trace is not None:
        length += 1
        trace = trace.tb_next
    return length


def _clean(part: traceback.TracebackException) -> None:
    """Drop the runner's frames, and what it called to get to the script; shorten the file names."""
    stack = part.stack
    names = [frame.filename for frame in stack]
    start = 0
    if names and where.is_runner(names[0]) and where.SCRIPT in names:
        start = names.index(where.SCRIPT)
    kept = [frame for frame in stack[start:] if not where.is_runner(frame.filename)]
    for frame in kept:
        # Its source line has been looked up by now, under the name it had.
        frame.filename = where.shown(frame.filename)
    stack[:] = kept
    if type(getattr(part, "filename", None)) is str:  # a SyntaxError's
        part.filename = where.shown(part.filename)
    text = getattr(part, "_str", None)
    if type(text) is str and text.startswith("cannot import name"):
        part._str = where.scrubbed(text)
