"""The careful way through a result: converts subclasses and numpy scalars, refuses the rest."""

from . import hints, jsonc, own

__builtins__ = own.NAMES

DEPTH_MAX = 200
_SHOWN_MAX = 100
_INFINITY = float("inf")
_NUMPY_ITEMS = frozenset((bool, int, float, str))
_NAN_HINT = "use None in its place"
_TEXT_HINT = 'remove it, for example with .encode("utf-8", "replace").decode()'


class NotJson(Exception):
    """Something JSON cannot hold: what, where, and what to do about it."""

    def __init__(self, message: str, path: str, hint: str) -> None:
        self.message, self.path, self.hint = message, path, hint


class TooMany(Exception):
    """More elements than any result within the limit can have."""


def plain(value: object, limit: int) -> object:
    """A copy of `value` in exact dict, list, str, int, float, bool and None."""
    return _Walk(limit // 2 + 2).value(value, None)


class _Walk:
    """One traversal. A place is a linked list, (place above, key or index), for errors."""

    __slots__ = ("_budget", "_numpy", "_open")

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._numpy = {}  # type -> whether it is a numpy scalar with a plain counterpart
        self._open = set()  # ids of the containers around the current value

    def value(self, value: object, place: tuple | None) -> object:
        kind = type(value)
        if kind is str:
            return _text(value, place)
        if value is None or kind is bool or kind is int:
            return value
        if kind is float:
            return _number(value, place)
        if issubclass(kind, dict):
            return self._mapping(value, place)
        if issubclass(kind, (list, tuple)):
            return self._sequence(value, kind, place)
        return self._scalar(value, kind, place)

    def _sequence(self, value: object, kind: type, place: tuple | None) -> list:
        self._enter(value, place)
        # The elements themselves, whatever __iter__ a subclass may have; json does the same.
        items = list.__iter__(value) if issubclass(kind, list) else tuple.__iter__(value)
        result = []
        for index, item in enumerate(items):
            self._count()
            result.append(self.value(item, (place, index)))
        self._open.discard(id(value))
        return result

    def _mapping(self, value: dict, place: tuple | None) -> dict:
        self._enter(value, place)
        result = {}
        for pair in value.items() if dict.__len__(value) else ():
            self._count()
            key, item = pair
            name = self._key(key, place)
            if name in result:
                shown = jsonc.quote(_cut(name))
                holder = f"a dict{_at(place)}"
                message = f"main() returned {holder} with two keys that both become {shown} in JSON"
                raise NotJson(message, _path((place, name)), "make the keys differ as strings")
            result[name] = self.value(item, (place, name))
        self._open.discard(id(value))
        return result

    def _enter(self, value: object, place: tuple | None) -> None:
        if id(value) in self._open:
            kind = hints.named(type(value))
            message = f"main() returned {kind} that contains itself{_at(place)}"
            raise NotJson(message, _path(place), "return a copy without the cycle")
        if len(self._open) >= DEPTH_MAX:
            message = f"main() returned a value nested deeper than {DEPTH_MAX} levels"
            raise NotJson(message, _path(place), "return a flatter structure")
        self._open.add(id(value))

    def _scalar(self, value: object, kind: type, place: tuple | None) -> object:
        """A subclass of a plain scalar, or one of numpy's."""
        if issubclass(kind, str):
            return _text(str.__str__(value), place)
        if issubclass(kind, int):
            return int.__pos__(value)
        if issubclass(kind, float):
            return _number(float.__pos__(value), place)
        if self._is_numpy(kind):
            item = value.item()
            if type(item) in _NUMPY_ITEMS:
                return _number(item, place) if type(item) is float else item
        message = f"main() returned {hints.named(kind)}{_at(place)}, which JSON cannot hold"
        hint = hints.hint_or_default(kind)
        raise NotJson(f"{message}; {hint}", _path(place), hint)

    def _key(self, key: object, place: tuple | None) -> str:
        """A key of a dict as json.dumps converts it."""
        kind = type(key)
        if not issubclass(kind, (str, int, float)) and self._is_numpy(kind):
            key = key.item()
            kind = type(key)
        if issubclass(kind, str):
            return _text(str.__str__(key), place, "a dict key")
        if key is None or kind is bool:
            return {None: "null", True: "true", False: "false"}[key]
        if issubclass(kind, int):
            return int.__repr__(key)
        if issubclass(kind, float):
            number = float.__pos__(key)
            return float.__repr__(_number(number, (place, float.__repr__(number))))
        message = f"main() returned a dict{_at(place)} with {hints.named(kind)} as a key"
        hint = "call str(...) on the keys"
        raise NotJson(f"{message}, which JSON cannot hold; {hint}", _path(place), hint)

    def _is_numpy(self, kind: type) -> bool:
        known = self._numpy.get(kind)
        if known is None:
            known = hints.is_numpy_scalar(kind) and hints.hint_for(kind) is None
            self._numpy[kind] = known
        return known

    def _count(self) -> None:
        self._budget -= 1
        if self._budget < 0:
            raise TooMany


def _number(value: float, place: tuple | None) -> float:
    if -_INFINITY < value < _INFINITY:
        return value
    name = "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    message = f"main() returned {name}{_at(place)}, which JSON cannot hold; {_NAN_HINT}"
    raise NotJson(message, _path(place), _NAN_HINT)


def _text(value: str, place: tuple | None, what: str = "a str") -> str:
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            code = f"U+{ord(value[error.start]):04X}"
            message = f"main() returned {what}{_at(place)} with the lone surrogate {code}"
            message = f"{message}, which JSON cannot hold; {_TEXT_HINT}"
            raise NotJson(message, _path(place), _TEXT_HINT) from None
    return value


def _at(place: tuple | None) -> str:
    return f" at {_path(place)}" if place is not None else ""


def _path(place: tuple | None) -> str:
    """The place as `$.rows[3].when`, with odd keys quoted: `$["a b"]`."""
    steps = []
    while place is not None:
        place, step = place
        if type(step) is int:
            steps.append(f"[{step}]")
        elif step.isidentifier() and len(step) <= _SHOWN_MAX:
            steps.append(f".{step}")
        else:
            steps.append(f"[{jsonc.quote(_cut(step))}]")
    return "$" + "".join(reversed(steps))


def _cut(text: str) -> str:
    text = text.encode("utf-8", "replace").decode()
    return text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "..."
