"""sys.stdin, stdout and stderr over descriptors 0, 1 and 2, unbuffered as under `python -u`."""

import io
import os
import sys
import time

from . import own

__builtins__ = own.NAMES

_file_write, _sleep, _wrap = io.FileIO.write, time.sleep, io.TextIOWrapper
_open, _write, _close, _dup2, _unlink, _lseek = (
    os.open,
    os.write,
    os.close,
    os.dup2,
    os.unlink,
    os.lseek,
)
_SPOOL = ".stdin"


class _Output(io.FileIO):
    """A raw descriptor that writes all it is given.

    The text layer above ignores how much a raw write took, and a signal can cut a write to a pipe
    short.
    """

    def write(self, data: bytes) -> int:
        done = _file_write(self, data)
        if type(data) is bytes and done == len(data):
            return done
        with memoryview(data) as given, given.cast("B") as view:
            done = done or 0
            while done < len(view):
                more = _file_write(self, view[done:])
                if more is None:  # the script made the pipe non-blocking
                    _sleep(0.001)
                done += more or 0
        return done


def _writer(fd: int, name: str) -> io.TextIOWrapper:
    raw = _Output(fd, "w", closefd=False)
    raw.name = name
    # "\n" for newline: what is printed goes out as it is. Lone surrogates show as escapes.
    stream = _wrap(raw, "utf-8", "backslashreplace", "\n", write_through=True)
    stream.mode = "w"
    return stream


def install() -> None:
    """Rebuild the three streams, the dunder copies included."""
    reader = io.BufferedReader(io.FileIO(0, "r", closefd=False))
    reader.raw.name = "<stdin>"
    sys.stdin = sys.__stdin__ = _wrap(reader, "utf-8", "replace")
    sys.stdout = sys.__stdout__ = _writer(1, "<stdout>")
    sys.stderr = sys.__stderr__ = _writer(2, "<stderr>")


def install_in_zygote() -> None:
    """Rebuild them for all cells to come.

    A stream notes of what kind its descriptor is (whether one can seek in it), so the descriptors
    are of a cell's kind meanwhile.
    """
    pipe = os.pipe()
    null = _open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    saved = [os.dup(number) for number in (0, 1, 2)]
    try:
        for number, source in enumerate((null, pipe[1], pipe[1])):
            _dup2(source, number)
        install()
    finally:
        for number, source in enumerate(saved):
            _dup2(source, number)
        for descriptor in (*saved, *pipe, null):
            _close(descriptor)


def feed_stdin(text: str) -> None:
    """Make descriptor 0 read `text`: a nameless file, for a pipe would need somebody to fill it."""
    spool = _open(_SPOOL, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        _unlink(_SPOOL)
        view = memoryview(text.encode("utf-8", "replace"))
        while view:
            view = view[_write(spool, view) :]
        _lseek(spool, 0, os.SEEK_SET)
        _dup2(spool, 0)
    finally:
        if spool:
            _close(spool)


def write_error(text: str) -> None:
    """Print on descriptor 2, whatever has become of sys.stderr."""
    try:
        view = memoryview(text.encode("utf-8", "backslashreplace"))
        while view:
            view = view[_write(2, view) :]
    except OSError:
        pass


def flush() -> None:
    """Flush what the script left in sys.stdout and sys.stderr; they may be anything by now."""
    for name in ("stdout", "stderr"):
        try:
            stream = getattr(sys, name, None)
            if stream is not None:
                stream.flush()
        except BaseException:
            pass
