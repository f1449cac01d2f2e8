"""JSON through the C accelerator itself.

The `json` package would do, but it drags `re` into a cold start, and a script may have patched it.
"""

import sys

from . import own

__builtins__ = own.NAMES

_get_digits = getattr(sys, "get_int_max_str_digits", None)
_set_digits = getattr(sys, "set_int_max_str_digits", None)


def lift_digit_limit() -> int:
    """Let integers of any length through, which CPython cuts at 4300 digits; returns the limit."""
    if _get_digits is None:
        return 0
    limit = _get_digits()
    _set_digits(0)
    return limit


def restore_digit_limit(limit: int) -> None:
    if limit:
        _set_digits(limit)


def _refuse(value: object) -> None:
    raise TypeError("not JSON")


def _constant(name: str) -> None:
    raise ValueError(name)


class _Reading:
    """What the C scanner wants to know."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float, parse_int, parse_constant = float, int, staticmethod(_constant)


def _accelerated():
    import _json

    quote = _json.encode_basestring
    encode = _json.make_encoder(None, _refuse, quote, None, ":", ",", False, False, False)
    scan = _json.make_scanner(_Reading)

    def dumps(value: object) -> str:
        return "".join(encode(value, 0))

    if dumps([1.5, {"é": None}]) != '[1.5,{"é":null}]' or scan('{"a":[1]}', 0)[0] != {"a": [1]}:
        raise ImportError("the json accelerator has changed")
    return dumps, scan, quote


def _portable():
    import json

    encoder = json.JSONEncoder(
        ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":")
    )
    return encoder.encode, json.JSONDecoder().raw_decode, encoder.encode


try:
    dumps, scan, quote = _accelerated()
except (ImportError, AttributeError, TypeError):  # another implementation, or a future signature
    dumps, scan, quote = _portable()


def parse(text: str) -> object:
    """The value, with integers of any length."""
    limit = lift_digit_limit()
    try:
        return scan(text, 0)[0]
    finally:
        restore_digit_limit(limit)
