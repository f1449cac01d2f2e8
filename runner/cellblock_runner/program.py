"""Mode `script`: the source runs as a program, and its last expression is the result."""

import builtins

from cellblock_zygote import Ordinary

from . import own
from .where import SCRIPT as FILE

__builtins__ = own.NAMES

_ONLY_TREE = 0x400  # ast.PyCF_ONLY_AST, without the import
_evaluate = Ordinary.evaluate


def compile_program(source: str) -> tuple:
    """The code of all statements, or of all but the last and of the last, an expression."""
    import _ast  # slow to import

    tree = compile(source, FILE, "exec", _ONLY_TREE, True)
    if not tree.body or type(tree.body[-1]) is not _ast.Expr:
        return compile(source, FILE, "exec", 0, True), None
    last = _ast.Expression(tree.body.pop().value)
    body = compile(tree, FILE, "exec", 0, True)
    return body, compile(last, FILE, "eval", 0, True)


def run_program(module: object, codes: tuple) -> object:
    """Run it in its module; what its last expression is."""
    space = vars(module)
    body, last = codes
    _evaluate(body, space)  # not exec: a program recurses as deep as it does by itself
    if last is None:
        return None
    space.setdefault("__builtins__", builtins)  # or it would get the runner's own
    return _evaluate(last, space)
