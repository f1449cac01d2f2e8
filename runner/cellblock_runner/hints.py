"""What to do about a value that JSON cannot hold, by its type: (package, class) -> advice."""

from . import own

__builtins__ = own.NAMES

_mro_of = type.__dict__["__mro__"].__get__
_name_of = type.__dict__["__name__"].__get__
_module_of = type.__dict__["__module__"].__get__
_namespace_of = type.__dict__["__dict__"].__get__

_TEXT = "call str(...) on it"
_LIST = "call list(...) on it"
_ITEMS = "call .tolist() on it"
_DATE = "call .isoformat() on it"
_DURATION = "call .total_seconds() on it"
_NONE = "use None in its place"
_BYTES = "use base64.b64encode(...).decode(), or .decode() if it is text"
_NUMBER = "call float(...) on it, or str(...) to keep every digit"

_HINTS = {
    ("builtins", "bytes"): _BYTES,
    ("builtins", "bytearray"): _BYTES,
    ("builtins", "memoryview"): "use base64.b64encode(...).decode(), or .tolist() for numbers",
    ("builtins", "set"): "use sorted(...) or list(...)",
    ("builtins", "frozenset"): "use sorted(...) or list(...)",
    ("builtins", "complex"): "return [z.real, z.imag], or str(...)",
    ("builtins", "range"): _LIST,
    ("builtins", "generator"): _LIST,
    ("builtins", "async_generator"): "collect it first: [x async for x in ...]",
    ("builtins", "coroutine"): "await it first",
    ("builtins", "map"): _LIST,
    ("builtins", "filter"): _LIST,
    ("builtins", "zip"): _LIST,
    ("builtins", "enumerate"): _LIST,
    ("builtins", "reversed"): _LIST,
    ("builtins", "dict_keys"): _LIST,
    ("builtins", "dict_values"): _LIST,
    ("builtins", "dict_items"): _LIST,
    ("builtins", "mappingproxy"): "call dict(...) on it",
    ("builtins", "function"): "call it, and return what it returns",
    ("builtins", "builtin_function_or_method"): "call it, and return what it returns",
    ("builtins", "method"): "call it, and return what it returns",
    ("builtins", "type"): "return its __name__, or an instance's data",
    ("builtins", "module"): "return its data instead",
    ("builtins", "ellipsis"): _NONE,
    ("builtins", "BaseException"): _TEXT,
    ("collections", "deque"): _LIST,
    ("array", "array"): _ITEMS,
    ("datetime", "date"): _DATE,
    ("datetime", "time"): _DATE,
    ("datetime", "timedelta"): _DURATION,
    ("decimal", "Decimal"): _NUMBER,
    ("fractions", "Fraction"): _NUMBER,
    ("enum", "Enum"): "use its .value",
    ("uuid", "UUID"): _TEXT,
    ("pathlib", "PurePath"): _TEXT,
    ("re", "Pattern"): "use its .pattern",
    ("re", "Match"): "use its .group() or .groupdict()",
    ("numpy", "ndarray"): _ITEMS,
    ("numpy", "datetime64"): _TEXT,
    ("numpy", "timedelta64"): "call str(...) on it, or divide it by np.timedelta64(1, 's')",
    ("numpy", "longdouble"): _NUMBER,
    ("numpy", "float128"): _NUMBER,
    ("numpy", "void"): _ITEMS,
    ("numpy", "dtype"): _TEXT,
    ("numpy", "Generator"): "return what it draws",
    ("pandas", "DataFrame"): 'call .to_dict("records") on it',
    ("pandas", "Series"): "call .tolist() on it, or .to_dict() to keep its index",
    ("pandas", "Index"): _ITEMS,
    ("pandas", "ExtensionArray"): _ITEMS,
    ("pandas", "NAType"): _NONE,
    ("pandas", "NaTType"): _NONE,
    ("pandas", "Period"): _TEXT,
    ("pandas", "Interval"): _TEXT,
    ("pandas", "BaseOffset"): _TEXT,
}
_ANYTHING = "convert it to a dict, list, str, int, float, bool or None first"


def package_of(kind: type) -> str:
    """The top of the module that a type says it is from."""
    try:
        return str.__str__(_module_of(kind)).partition(".")[0]
    except (AttributeError, TypeError):  # deleted, or not a string
        return ""


def hint_for(kind: type) -> str | None:
    """The advice for a type or the nearest of its bases; None when there is none in particular."""
    for base in _mro_of(kind):
        hint = _HINTS.get((package_of(base), _name_of(base)))
        if hint is not None:
            return hint
        if "__dataclass_fields__" in _namespace_of(base):
            return "call dataclasses.asdict(...) on it"
    return None


def hint_or_default(kind: type) -> str:
    return hint_for(kind) or _ANYTHING


def is_numpy_scalar(kind: type) -> bool:
    """Whether it is numpy's; by its bases, for the script may have emptied sys.modules."""
    for base in _mro_of(kind):
        if _name_of(base) == "generic" and package_of(base) == "numpy":
            return True
    return False


def named(kind: type) -> str:
    """The type's name with its article: "a DataFrame", "an Index"."""
    name = _name_of(kind)
    if len(name) > 100:
        name = name[:100] + "..."
    # By ear: "a uint8", "a UUID", "an ndarray", "an NAType".
    vowel = name.lower().startswith(("a", "e", "i", "o")) or name.startswith(("nd", "NA"))
    return f"{'an' if vowel else 'a'} {name}"
