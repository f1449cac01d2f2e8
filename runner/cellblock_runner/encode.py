"""The result as strict JSON: exactly what RFC 8259 can say, or an error that names the place.

Nearly every result is built of plain types. Those are checked level by level at C speed and handed
to the C encoder. Anything else goes through `walk`, which converts what can be converted and finds
the culprit.
"""

import sys
from itertools import chain

from . import jsonc, own, walk

__builtins__ = own.NAMES

_PLAIN_LEAVES = frozenset((str, int, float, bool, type(None)))
_CONTAINERS = frozenset((dict, list, tuple))
_PLAIN_KEYS = frozenset((str,))
_modules = sys.modules
_values = dict.values


class TooLarge(Exception):
    """The encoded result is longer than its limit."""


def encode(value: object, limit: int) -> bytes:
    """Encode main()'s result; raises walk.NotJson, TooLarge or MemoryError."""
    try:
        data = _encode(value, limit)
    except (walk.NotJson, MemoryError, TooLarge):
        raise
    except walk.TooMany:
        raise TooLarge(f"the result is larger than the limit of {limit} bytes") from None
    except BaseException as error:  # code of the script ran: a subclass of dict, say
        reason = type.__dict__["__name__"].__get__(type(error))
        message = f"main()'s result cannot be read: {reason} was raised while it was encoded"
        raise walk.NotJson(message, "$", "return plain dicts and lists") from None
    if len(data) > limit:
        raise TooLarge(f"the result is {len(data)} bytes of JSON, the limit is {limit}")
    return data


def _encode(value: object, limit: int) -> bytes:
    if _is_plain(value, limit):
        try:
            return jsonc.dumps(value).encode()
        except (ValueError, RecursionError):  # NaN, a lone surrogate (UnicodeError is a ValueError)
            pass
    own.restore_public()  # the walk may run code of the types that it meets
    return jsonc.dumps(walk.plain(value, limit)).encode()


def _is_plain(value: object, limit: int) -> bool:
    """Whether it is all exact JSON types with string keys, not too deep, and of a sane size.

    The C encoder itself knows no depth, and would take a subclass's word for its items. One level
    of nesting at a time: a list or tuple is already such a level.
    """
    leaves = _leaves()
    kind = type(value)
    if kind in leaves:
        return True
    if kind not in _CONTAINERS:
        return False
    budget = limit // 2 + 2 - len(value)  # every element takes two bytes or more
    if budget < 0:
        return False
    # A flat one for itself, by fewer means: see `gather`.
    if kind is dict and not _PLAIN_KEYS.issuperset(map(type, value)):
        return False
    if leaves.issuperset(map(type, _values(value) if kind is dict else value)):
        return True
    lists, dicts = ([], [value]) if kind is dict else ([value], [])
    for _ in range(walk.DEPTH_MAX):
        kinds = set(map(type, _elements(lists, dicts)))
        if leaves.issuperset(kinds):
            return True
        if not kinds <= leaves | _CONTAINERS:
            return False
        nested = [x for x in _elements(lists, dicts) if type(x) in _CONTAINERS]
        budget -= sum(map(len, nested))
        dicts = [x for x in nested if type(x) is dict] if dict in kinds else []
        lists = [x for x in nested if type(x) is not dict] if len(dicts) < len(nested) else []
        if budget < 0 or not _PLAIN_KEYS.issuperset(map(type, chain.from_iterable(dicts))):
            return False
    return False


def _elements(lists: list, dicts: list) -> chain:
    return chain(chain.from_iterable(lists), chain.from_iterable(map(_values, dicts)))


def _leaves() -> frozenset:
    """float64 is a float and str_ a str to the C encoder too; results are often full of them."""
    numpy, leaves = _known
    if _modules.get("numpy") is numpy:
        return leaves
    return _find_leaves()[1]


def _find_leaves() -> tuple:
    """numpy, if it has been imported, and what is a leaf then."""
    try:
        numpy = _modules["numpy"]
        names = vars(numpy)
        return numpy, _PLAIN_LEAVES | {names["float64"], names["str_"]}
    except (KeyError, TypeError):
        return None, _PLAIN_LEAVES


_known = None, _PLAIN_LEAVES


def prepare() -> None:
    """In a zygote, after all imports: note what will be a leaf in its cells."""
    global _known
    _known = _find_leaves()
