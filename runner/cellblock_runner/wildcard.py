"""Globs for `output_files`, without `re`: no import, no pattern that takes exponential time."""

from . import own

__builtins__ = own.NAMES


def compile_glob(pattern: str) -> tuple:
    """Split a glob into its components; `./x` is `x`."""
    return tuple(part for part in pattern.split("/") if part not in ("", "."))


def matches(path: tuple, glob: tuple) -> bool:
    """Whether the components of a path match those of a glob; `**` is any number of directories."""
    reached = {0}  # positions in the glob that the path so far can have led to
    for name in path:
        following = set()
        for at in _past_stars(reached, glob):
            if at == len(glob):
                continue
            if glob[at] == "**":
                if not name.startswith("."):
                    following.add(at)
            elif matches_name(name, glob[at]):
                following.add(at + 1)
        reached = following
    # A `**` at the end means every file below, as in bash.
    return len(glob) in _past_stars(reached, glob)


def _past_stars(reached: set, glob: tuple) -> set:
    found = set(reached)
    for at in reached:
        while at < len(glob) and glob[at] == "**":
            at += 1
            found.add(at)
    return found


def matches_name(name: str, pattern: str) -> bool:
    """Match one component: `*`, `?`, `[a-z]`, `[!a-z]`; hidden files only by a dot."""
    if name.startswith(".") and not pattern.startswith("."):
        return False
    at = place = 0
    star = resume = -1
    while at < len(name):
        width = _match_one(name[at], pattern, place)
        if place < len(pattern) and pattern[place] == "*":
            star, resume = place, at
            place += 1
        elif width:
            at += 1
            place += width
        elif star >= 0:  # let the last star take one character more
            resume += 1
            at, place = resume, star + 1
        else:
            return False
    return not pattern[place:].strip("*")


def _match_one(character: str, pattern: str, place: int) -> int:
    """How many characters of the pattern at `place` match this one character; 0 if they do not."""
    if place >= len(pattern):
        return 0
    head = pattern[place]
    end = pattern.find("]", place + 2 + pattern.startswith("!", place + 1)) if head == "[" else -1
    if end > 0:
        return end + 1 - place if _in_class(character, pattern[place + 1 : end]) else 0
    return 1 if head == "?" or head == character else 0


def _in_class(character: str, members: str) -> bool:
    negated = members.startswith("!")
    at = 1 if negated else 0
    found = False
    while at < len(members):
        low = high = members[at]
        if members[at + 1 : at + 2] == "-" and at + 2 < len(members):
            high = members[at + 2]
            at += 2
        found = found or low <= character <= high
        at += 1
    return found != negated
