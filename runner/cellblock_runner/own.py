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


def restore_public(importer: object) -> None:
    """Put back what the script replaced, for the standard library that the report relies on."""
    PUBLIC.update(NAMES)
    PUBLIC["__import__"] = importer or NAMES["__import__"]
