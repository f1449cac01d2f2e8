"""How main() is called: with nothing, with the input, or with arguments by their names.

The native half calls a plain function of none or one argument itself, and comes here for all else.
"""

from . import own

__builtins__ = own.NAMES

_INPUT, _ARGUMENTS = 1, 2  # as the native half numbers the ways

Function = type(own.restore_public)
_VARARGS = 0x04


class NoMain(Exception):
    """There is no main() to call, or what was sent does not fit it."""


class _Shape:
    """What main() takes: whether anything by its place, and the names that it requires."""

    __slots__ = ("named", "placed", "takes_one")

    def __init__(self, takes_one: bool, placed: list, named: list) -> None:
        self.takes_one, self.placed, self.named = takes_one, placed, named


def call_main(module: object, way: int, given: object) -> object:
    """Call main as it wants to be called, which may give something to wait for."""
    namespace = vars(module)
    if "main" not in namespace:
        raise NoMain("the script defines no main() function")
    main = namespace["main"]
    if not callable(main):
        raise NoMain(f"main is not callable, it is of type {type(main).__name__}")
    if way == _ARGUMENTS:
        return _call_by_name(main, given, "arguments do")
    shape = shape_of(main)
    if shape.named or len(shape.placed) > 1:
        if way == _INPUT and type(given) is dict:
            return _call_by_name(main, given, "input does")
        names = ", ".join([*shape.placed, *shape.named])
        raise NoMain(
            f"main{_signature_of(main)} requires {names}; "
            "send an object with these names as arguments or as input"
        )
    # Without an input, what has a default keeps it.
    if shape.placed if way != _INPUT else shape.takes_one:
        return main(given)
    return main()


def shape_of(main: object) -> _Shape:
    """Plain functions are read off their code, without `inspect`."""
    while type(main) is Function:
        code = main.__code__
        wrapped = vars(main).get("__wrapped__")
        if code.co_flags & _VARARGS and wrapped is not None:
            main = wrapped  # a pass-through decorator: what it wraps decides
            continue
        count = code.co_argcount
        keywords = code.co_varnames[count : count + code.co_kwonlyargcount]
        defaults = main.__kwdefaults__ or ()
        return _Shape(
            count > 0 or bool(code.co_flags & _VARARGS),
            [*code.co_varnames[: count - len(main.__defaults__ or ())]],
            [name for name in keywords if name not in defaults],
        )
    return _shape_by_signature(main)


def _shape_by_signature(main: object) -> _Shape:
    import inspect

    try:
        parameters = inspect.signature(main).parameters.values()
    except (TypeError, ValueError):  # built in, and silent about its arguments
        return _Shape(False, [], [])
    empty = inspect.Parameter.empty
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return _Shape(
        bool(positional) or any(p.kind is p.VAR_POSITIONAL for p in parameters),
        [p.name for p in positional if p.default is empty],
        [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is empty],
    )


def _call_by_name(main: object, arguments: dict, what: str) -> object:
    if not _plainly_fits(main, arguments):
        _check(main, arguments, what)
    return main(**arguments)


def _plainly_fits(main: object, arguments: dict) -> bool:
    """Whether the names are those of a plain function, which spares `inspect`."""
    if type(main) is not Function or "__wrapped__" in vars(main):
        return False
    code, shape = main.__code__, shape_of(main)
    taken = code.co_varnames[code.co_posonlyargcount : code.co_argcount + code.co_kwonlyargcount]
    return all(name in taken for name in arguments) and all(
        name in arguments for name in (*shape.placed, *shape.named)
    )


def _check(main: object, arguments: dict, what: str) -> None:
    import inspect

    try:
        signature = inspect.signature(main)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(**arguments)
    except TypeError as error:
        reason = error.args[0]
        raise NoMain(f"the {what} not fit main{_signature_of(main)}: {reason}") from None


def _signature_of(main: object) -> str:
    import inspect

    try:
        return str(inspect.signature(main))
    except Exception:  # its defaults and annotations are the script's, and so are their texts
        return "()"
