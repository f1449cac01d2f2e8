"""Files in: the job's `files`, written below the working directory before the script starts."""

import binascii
import os

from . import own

__builtins__ = own.NAMES

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class BadFile(Exception):
    """A file of the job that cannot be written; the server should have refused it."""


def place(files: list) -> None:
    for entry in files:
        path = entry["path"]
        parts = _parts(path)
        text = entry.get("text")
        try:
            if text is None:
                content = binascii.a2b_base64(entry["content"])
            else:
                content = text.encode("utf-8", "replace")
            for depth in range(1, len(parts)):
                _make_directory("/".join(parts[:depth]))
            _write_new("/".join(parts), content)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise BadFile(f"cannot write the file {path!r}: {reason}") from None


def _parts(path: str) -> list:
    parts = path.split("/")
    if "\0" in path or any(part in ("", ".", "..") for part in parts):
        raise BadFile(f"bad file path {path!r}")
    return parts


def _make_directory(path: str) -> None:
    try:
        os.mkdir(path, 0o755)
    except FileExistsError:
        pass  # if it is no directory, opening the file says so


def _write_new(path: str, content: bytes) -> None:
    target = os.open(path, _CREATE, 0o644)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(target, view) :]
    finally:
        os.close(target)
