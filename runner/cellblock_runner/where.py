"""Whose code is it? Tells the script's files, the libraries' and the runner's own apart."""

import os
import sys

from . import own

__builtins__ = own.NAMES

SCRIPT = "script.py"
_BOOTSTRAP = "<frozen importlib"

# From a code object, as frames have it: __file__ need not be spelled the same.
_HERE = (lambda: None).__code__.co_filename.rpartition("/")[0] + "/"
programs = _HERE.rpartition("/cellblock_runner/")[0]  # the directory that the runner lies in

home = "/"  # the working directory, with a slash at its end
_library: tuple = ()
_prefixes: tuple = ()


def learn(directory: str) -> None:
    """Take note of the working directory and the library's, before the script adds to sys.path."""
    global home, _library, _prefixes
    home = directory.rstrip("/") + "/"
    stdlib = os.__file__.rpartition("/")[0]
    roots = {
        path.rstrip("/") + "/"
        for path in (stdlib, *sys.path)
        if type(path) is str and path.startswith("/") and path != directory
    }
    _library = tuple(roots)
    # The longest first, so that site-packages goes before the directory it lies in.
    _prefixes = tuple(sorted((*roots, home), key=len, reverse=True))


def is_runner(filename: str) -> bool:
    """The runner's own frames, and those of the import system: neither user code nor a library."""
    return filename.startswith((_BOOTSTRAP, _HERE))


def is_library(filename: str) -> bool:
    return filename.startswith(_library) or filename.startswith("<frozen ")


def shown(filename: str) -> str:
    """A file name fit for a client: relative to the library or working directory."""
    if not filename.startswith("/"):
        return filename
    for prefix in _prefixes:
        if filename.startswith(prefix):
            return filename[len(prefix) :]
    return filename.rpartition("/")[2]


def scrubbed(text: str) -> str:
    """`text` without the directories that ImportError quotes: "... from 'x' (/usr/.../x.py)"."""
    for prefix in _prefixes:
        text = text.replace("(" + prefix, "(")
    return text
