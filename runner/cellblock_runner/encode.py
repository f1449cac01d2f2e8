"""The result as strict JSON: exactly what RFC 8259 can say, or an error that names the place.

Nearly every result is built of plain types, which the native half encodes. Anything else goes
through `walk`, which converts what can be converted and finds the culprit.
"""

from . import jsonc, module, own, walk

__builtins__ = own.NAMES


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
    data = module.ordinary.encode(value, limit)
    if type(data) is int:
        if data < 0:
            raise walk.TooMany
        raise TooLarge(f"the result is {data} bytes of JSON, the limit is {limit}")
    if data is not None:
        return data
    own.restore_public()  # the walk may run code of the types that it meets
    return jsonc.dumps(walk.plain(value, limit)).encode()
