"""Runs suites that nobody here wrote, in cells and in a plain interpreter, and compares.

Fails where a test passes outside and not inside without an entry in `expected`, and where an entry
is about tests that pass now. scripts/suites sets what it needs.
"""

import concurrent.futures
import json
import os
import sys
from pathlib import Path

import selection
import server
import sides
from expected import Expected

HERE = Path(__file__).resolve().parent
SUITES = ("cpython", "numpy", "pandas")
LIKE_A_CELL = {
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "PATH": os.environ.get("PATH", ""),
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}


class Comparison:
    """The outcomes of one suite on both sides."""

    def __init__(self, expected: Expected) -> None:
        self.expected = expected
        self.both = self.inside_only = self.neither = 0
        self.listed, self.unlisted = {}, {}

    def add(self, outside: dict, inside: dict) -> None:
        for test in {**outside, **inside}:
            out, into = outcome(outside, test), outcome(inside, test)
            passes = (out[0] == "pass", into[0] == "pass")
            if passes == (True, True):
                self.both += 1
                for entry in self.expected.entries:
                    entry.saw_pass(test)
            elif passes == (True, False):
                self.differs(test, into)
            elif passes == (False, True):
                self.inside_only += 1
            else:
                self.neither += 1

    def differs(self, test: str, inside: tuple) -> None:
        says = ": ".join(inside)
        reason = self.expected.reason(test, says)
        if reason:
            self.listed.setdefault(reason, {})[test] = says
        else:
            self.unlisted[test] = says

    def figures(self) -> dict:
        listed = {reason: len(tests) for reason, tests in sorted(self.listed.items())}
        outside = sum(listed.values()) + len(self.unlisted)
        total = self.both + self.inside_only + self.neither + outside
        return {
            "tests": total,
            "pass on both sides": self.both,
            "pass outside only": outside,
            "of these by reason": listed,
            "of these without a reason": len(self.unlisted),
            "pass inside only": self.inside_only,
            "pass on neither side, or are skipped on both": self.neither,
        }


def outcome(side: dict, test: str) -> tuple:
    """A test's outcome, or what kept it from being run: something about its class or module."""
    if test in side:
        return side[test]
    said = [result[1] for name, result in side.items() if name in test or test in name]
    above = [result[1] for name, result in side.items() if "(" in name or "::" not in name]
    return "missing", next(iter(said or above[:1]), "")


def is_known(test: str, inside: tuple, known: object) -> bool:
    return inside[0] == "pass" or known(test, ": ".join(inside)) is not None


def compare(job: sides.Job, outside: object, inside: object, known: object) -> tuple:
    """A job's outcomes on both sides. What differs for no known reason is tried once more."""
    out, into = sides.run(outside, job), sides.run(inside, job)
    differing = [
        test
        for test, result in out.items()
        if result[0] == "pass" and not is_known(test, outcome(into, test), known)
    ]
    if differing and len(differing) < 100:
        again = sides.Job(job.kind, job.targets, job.patience, job.seconds, differing)
        for side, outcomes in ((outside, out), (inside, into)):
            fresh = sides.run(side, again)
            outcomes.update({test: fresh[test] for test in differing if test in fresh})
    return out, into


def run_suite(suite: str, setting: server.Setting, outside: object, inside: object) -> None:
    """Runs all, and keeps the outcomes of each job as a line."""
    only, places = os.environ.get("ONLY", "*"), int(os.environ.get("PARALLEL", "2"))
    known = Expected(suite, setting.version).reason
    jobs = selection.jobs(suite, setting.standard, setting.packages, only)
    with (
        open(setting.outcomes(suite), "w") as kept,
        concurrent.futures.ThreadPoolExecutor(places) as pool,
    ):
        futures = {pool.submit(compare, job, outside, inside, known): job for job in jobs}
        try:
            for count, future in enumerate(concurrent.futures.as_completed(futures), 1):
                out, into = future.result()
                print(f"[{count}/{len(jobs)}] {futures[future]}: {len(out)}", flush=True)
                print(json.dumps([out, into]), file=kept, flush=True)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def judge_suite(suite: str, setting: server.Setting) -> bool:
    """Compares the outcomes that are kept with the list."""
    comparison = Comparison(Expected(suite, setting.version))
    with open(setting.outcomes(suite)) as kept:
        for line in kept:
            comparison.add(*json.loads(line))
    figures = json.dumps(comparison.figures(), indent=2)
    print(f"{suite}, Python {setting.version}: {figures}")
    return judge(comparison, whole=os.environ.get("ONLY", "*") == "*")


def judge(comparison: Comparison, whole: bool) -> bool:
    for test, says in sorted(comparison.unlisted.items()):
        print(f"passes outside only, and is not on the list: {test}: {says}")
    stale = [glob for entry in comparison.expected.entries for glob in entry.stale()]
    if whole:  # an entry by what tests say is judged by the whole suite alone
        entries = [entry for entry in comparison.expected.entries if entry.says != "*"]
        stale += [entry.says for entry in entries if not any(entry.hits.values())]
    for glob in stale:
        print(f"is on the list, and passes now: {glob}")
    return not (comparison.unlisted or stale)


def main() -> int:
    suites = [os.environ["SUITE"]] if os.environ.get("SUITE") else SUITES
    if unknown := set(suites) - set(SUITES):
        raise SystemExit(f"error: SUITE={unknown.pop()} is none of {', '.join(SUITES)}.")
    state, cellblock, python = sys.argv[1:]
    setting = server.Setting(Path(state), cellblock, python)
    if os.environ.get("JUDGE") != "1":
        run_suites(suites, setting)
    return 0 if all([judge_suite(suite, setting) for suite in suites]) else 1


def run_suites(suites: list, setting: server.Setting) -> None:
    port = int(os.environ.get("CELLBLOCK_SUITES_PORT", "18979"))
    places = int(os.environ.get("PARALLEL", "2"))
    requirements = HERE.parent.parent / "requirements/suites.txt"
    setting.prepare(requirements, os.environ.get("ENGINE", "warm"), port, places)
    outside = sides.Outside(setting.python, setting.packages, LIKE_A_CELL)
    with setting.serving(port) as url:
        inside = sides.Inside(url, server.LIMITS)
        for suite in suites:
            run_suite(suite, setting, outside, inside)


if __name__ == "__main__":
    sys.exit(main())
