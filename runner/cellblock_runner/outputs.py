"""Files out: what the script left below its directory and the client asked for.

The script made every name here, so none is trusted: directories are opened one component at a time
and never through a link, and only regular files are read.
"""

import os
import stat

from . import channel, jsonc, own, wildcard

__builtins__ = own.NAMES

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: a FIFO put in the file's place would block the open.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_DEPTH_MAX = 64
_ENTRIES_MAX = 100_000
_CHUNK = channel.PAYLOAD_MAX

_open, _close, _read, _fstat, _scandir, _closerange = (
    os.open,
    os.close,
    os.read,
    os.fstat,
    os.scandir,
    os.closerange,
)
_is_regular = stat.S_ISREG


def send_matching(
    out: channel.Channel, patterns: list, limits: dict, home: str, spare: int
) -> None:
    """Send the files that match, by path, as far as count and bytes allow; name the others."""
    globs = [wildcard.compile_glob(pattern) for pattern in patterns]
    _closerange(3, spare)  # the script may have used up its descriptors
    root = _open(home, _DIRECTORY)
    found = sorted(_find(root, (), globs, [_ENTRIES_MAX]))
    count, room, omitted = limits["output_files_count"], limits["output_files_bytes"], 0
    listed = 2 * count  # one more, and the server knows that not all are listed
    for path, size in found:
        source = _open_below(root, path) if count > 0 and size <= room else -1
        size = _size(source, size)
        if source >= 0 and size <= room:
            count -= 1
            room -= size
            _send_head(out, path, size, False)
            _send_content(out, source, size)
        elif omitted <= listed:
            omitted += 1
            _send_head(out, path, size, True)
        if source >= 0:
            _close(source)


def _find(directory: int, above: tuple, globs: list, budget: list):
    """Yield (components, size) of every matching regular file."""
    try:
        with _scandir(directory) as entries:
            listed = list(entries)
    except OSError:
        return
    for entry in listed:
        budget[0] -= 1
        if budget[0] < 0:
            return
        path = (*above, entry.name)
        try:
            if entry.is_dir(follow_symlinks=False):
                if len(path) < _DEPTH_MAX:
                    inner = _open(entry.name, _DIRECTORY, dir_fd=directory)
                    yield from _find(inner, path, globs, budget)
                    _close(inner)
            elif entry.is_file(follow_symlinks=False) and _wanted(path, globs):
                yield path, entry.stat(follow_symlinks=False).st_size
        except OSError:
            continue


def _wanted(path: tuple, globs: list) -> bool:
    return any(wildcard.matches(path, glob) for glob in globs)


def _open_below(root: int, path: tuple) -> int:
    """Open a file without ever following a link; -1 when it cannot be."""
    directory = root
    try:
        for name in path[:-1]:
            inner = _open(name, _DIRECTORY, dir_fd=directory)
            if directory != root:
                _close(directory)
            directory = inner
        return _open(path[-1], _FILE, dir_fd=directory)
    except OSError:
        return -1
    finally:
        if directory != root:
            _close(directory)


def _size(source: int, size: int) -> int:
    """The size of the file now open, which need not be the one that was listed."""
    if source < 0:
        return size
    status = _fstat(source)
    return status.st_size if _is_regular(status.st_mode) else 1 << 62


def _send_head(out: channel.Channel, path: tuple, size: int, omitted: bool) -> None:
    # A name that is no UTF-8 shows its bytes as escapes.
    name = "/".join(path).encode("utf-8", "backslashreplace").decode()
    document = jsonc.dumps({"path": name, "size": size, "omitted": omitted})
    out.send(channel.FILE_HEAD, document.encode())


def _send_content(out: channel.Channel, source: int, size: int) -> None:
    """Send exactly `size` bytes: a file that shrinks meanwhile is filled up with zeros."""
    while size > 0:
        part = _read(source, min(size, _CHUNK)) or bytes(min(size, _CHUNK))
        out.send(channel.FILE_PART, part)
        size -= len(part)
