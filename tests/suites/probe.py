"""Runs tests and tells the outcome of each, alike in a cell and in a plain interpreter.

This file is the script that a cell is sent, and the program that the plain interpreter runs. The
outcomes go to standard output, as lines that begin with MARK, so that what a crash or a limit ends
is still told.
"""

import faulthandler
import json
import os
import sys

MARK = "@@outcome "
REASON_MAX = 300


class Report:
    """Writes outcomes to a descriptor of its own, whatever tests do to sys.stdout or 1."""

    def __init__(self, patience: float) -> None:
        self.descriptor = os.dup(1)
        self.process, self.patience = os.getpid(), patience
        self.complaints = open(os.dup(2), "w")

    def write(self, *fields: str) -> None:
        if os.getpid() == self.process:  # a child that a test forked has nothing to tell
            os.write(self.descriptor, f"\n{MARK}{json.dumps(fields)}\n".encode())

    def begin(self, test: str) -> None:
        """Names the test that runs now, and ends the process if that takes too long."""
        self.write("begin", test)
        faulthandler.dump_traceback_later(self.patience, exit=True, file=self.complaints)

    def end(self, test: str, outcome: str, reason: str = "") -> None:
        faulthandler.cancel_dump_traceback_later()
        self.write("end", test, outcome, " ".join(reason.split())[:REASON_MAX])


def main(job: dict) -> str:
    """Runs `job["targets"]` but for the tests in `job["done"]`, or only those in `job["only"]`."""
    report = Report(job["patience"])
    done, only = set(job["done"]), set(job["only"])

    def wanted(test: str) -> bool:
        return test in only if only else test not in done

    run = {"unittest": run_unittest, "pytest": run_pytest}[job["kind"]]
    run(job["targets"], wanted, report)
    report.write("complete")
    return "complete"


def shown(error: BaseException) -> str:
    """An exception in a line; what its __str__ raises is none of ours."""
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:
        return type(error).__name__


def run_unittest(targets: list, wanted: object, report: Report) -> None:
    import unittest

    from test import support

    support.use_resources = {}  # as `python -m test` without -u: no network, nothing huge

    class Result(unittest.TestResult):
        def startTest(self, test: object) -> None:
            super().startTest(test)
            self.told = ("pass", "")
            report.begin(test.id())

        def stopTest(self, test: object) -> None:
            super().stopTest(test)
            report.end(test.id(), *self.told)

        def tell(self, test: object, outcome: str, reason: str) -> None:
            if isinstance(test, unittest.TestCase):
                self.told = (outcome, reason)
            else:  # setUpClass or setUpModule, whose tests are not run
                report.end(test.id(), outcome, reason)

        def addError(self, test: object, error: tuple) -> None:
            self.tell(test, "error", shown(error[1]))

        def addFailure(self, test: object, error: tuple) -> None:
            self.tell(test, "fail", shown(error[1]))

        def addSubTest(self, test: object, subtest: object, error: tuple) -> None:
            if error is not None:
                self.told = ("fail", shown(error[1]))

        def addSkip(self, test: object, reason: str) -> None:
            self.tell(test, "skip", str(reason))

        def addExpectedFailure(self, test: object, error: tuple) -> None:
            self.told = ("xfail", shown(error[1]))

        def addUnexpectedSuccess(self, test: object) -> None:
            self.told = ("fail", "unexpected success")

    suite, found = unittest.TestSuite(), set()
    for target in targets:
        try:
            loaded = unittest.defaultTestLoader.loadTestsFromName(target)
        except BaseException as error:
            report.end(
                target, "skip" if isinstance(error, unittest.SkipTest) else "error", shown(error)
            )
            continue
        for test in flat(loaded):
            if wanted(test.id()) and test.id() not in found:
                found.add(test.id())
                suite.addTest(test)
    suite.run(Result())


def flat(suite: object) -> object:
    for test in suite:
        if hasattr(test, "__iter__"):
            yield from flat(test)
        else:
            yield test


def run_pytest(targets: list, wanted: object, report: Report) -> None:
    import pytest

    class Plugin:
        def pytest_collection_modifyitems(self, items: list) -> None:
            items[:] = [item for item in items if wanted(item.nodeid)]

        def pytest_collectreport(self, report: object) -> None:
            if not report.passed:
                tell(report.nodeid, "skip" if report.skipped else "error", last_line(report))

        def pytest_runtest_logstart(self, nodeid: str) -> None:
            self.told = ("pass", "")
            begin(nodeid)

        def pytest_runtest_logreport(self, report: object) -> None:
            if report.skipped:
                outcome = "xfail" if hasattr(report, "wasxfail") else "skip"
                self.told = (outcome, last_line(report))
            elif report.failed:
                outcome = "fail" if report.when == "call" else "error"
                self.told = (outcome, last_line(report))

        def pytest_runtest_logfinish(self, nodeid: str) -> None:
            tell(nodeid, *self.told)

    begin, tell = report.begin, report.end
    options = ["-q", "--no-header", "--tb=short", "-p", "no:cacheprovider", "-p", "no:faulthandler"]
    options += ["-m", "not slow and not network and not db and not single_cpu"]
    options += ["--hypothesis-seed=0", f"--rootdir={root_of(targets[0])}", "-c", os.devnull]
    pytest.main([*options, "--pyargs", *targets], plugins=[Plugin()])


def root_of(target: str) -> str:
    """The directory of the packages, so that tests have the same names on both sides."""
    package = __import__(target.partition(".")[0])
    return os.path.dirname(os.path.dirname(package.__file__))


def last_line(report: object) -> str:
    if isinstance(report.longrepr, tuple):  # a skip: file, line, reason
        return report.longrepr[2]
    crash = getattr(report.longrepr, "reprcrash", None)
    return crash.message if crash else str(report.longrepr)


if __name__ == "__main__":  # outside: the job is what standard input holds
    main(json.load(sys.stdin))
