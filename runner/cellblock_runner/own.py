"""The runner's private copy of the builtins, which a script's monkeypatches cannot reach.

Every other file of this package starts with ``__builtins__ = own.NAMES``: a function takes its
builtins from its module's globals when it is defined, so `builtins.len = None` in a script leaves
ours alone, and our own `import` statements do not pass through the script's import guard.

Trap: `exec(code, namespace)` gives a namespace without ``__builtins__`` those of its caller. Code
of the script must always get the public module, or it would run on this copy.
"""

import builtins

NAMES = dict(vars(builtins))
PUBLIC = vars(builtins)


_importer = NAMES["__import__"]


def replace_import(importer: object) -> None:
    """Let `importer` stand for the public __import__ from now on."""
    global _importer
    PUBLIC["__import__"] = _importer = importer


def restore_public() -> None:
    """Put back what the script replaced, for the standard library that the report relies on.

    Only where that is about to run: it counts a reference to each builtin, and the types among them
    lie scattered over the interpreter's data, so that it copies some sixty pages.
    """
    PUBLIC.update(NAMES)
    PUBLIC["__import__"] = _importer
