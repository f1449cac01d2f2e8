"""The list of what is known to pass outside only, each entry with its reason."""

import fnmatch
from pathlib import Path

import tomllib

HERE = Path(__file__).parent / "expected"


class Entry:
    """Some tests of one reason: `tests` are globs of their names, `says` one of what they say."""

    def __init__(self, reason: str, tests: list, says: str = "*", python: str = "*") -> None:
        self.reason, self.tests, self.says, self.python = reason, tests, says, python
        self.hits = {glob: 0 for glob in tests}
        self.passed = {glob: 0 for glob in tests}

    def covers(self, test: str, says: str) -> bool:
        found = False
        for glob in self.tests:
            if fnmatch.fnmatchcase(test, glob) and fnmatch.fnmatchcase(says, self.says):
                self.hits[glob] += 1
                found = True
        return found

    def saw_pass(self, test: str) -> None:
        """Notes that a test passes on both sides, which the entry may be about."""
        for glob in self.tests:
            if self.says == "*" and fnmatch.fnmatchcase(test, glob):
                self.passed[glob] += 1

    def stale(self) -> list:
        """The globs whose tests were run, and all passed."""
        return [glob for glob in self.tests if self.passed[glob] and not self.hits[glob]]


class Expected:
    """The list of one suite, for one version of Python, such as 3.13."""

    def __init__(self, suite: str, version: str) -> None:
        self.reasons = tomllib.loads((HERE / "reasons.toml").read_text())
        document = tomllib.loads((HERE / f"{suite}.toml").read_text())
        entries = [Entry(**entry) for entry in document.get("entry", [])]
        unknown = {entry.reason for entry in entries} - set(self.reasons)
        if unknown:
            raise SystemExit(
                f"error: {suite}.toml has reasons that reasons.toml does not: {unknown}"
            )
        self.entries = [entry for entry in entries if fnmatch.fnmatchcase(version, entry.python)]

    def reason(self, test: str, says: str) -> str | None:
        """Why a test passes outside only, by the first entry about it."""
        covering = [entry.reason for entry in self.entries if entry.covers(test, says)]
        return covering[0] if covering else None
