"""The two places that tests are run in: a cell of a server, and a plain interpreter."""

import dataclasses
import http.client
import json
import os
import subprocess
import tempfile
import urllib.parse
from pathlib import Path

import probe

PROBE = Path(probe.__file__)
# A run that ends early is repeated without the test that ended it, but not for ever.
REPEATS = 25


@dataclasses.dataclass
class Job:
    """Some tests to run in one process: modules by their full names."""

    kind: str
    targets: list
    patience: float  # seconds that one test may take
    seconds: float  # and all of them
    only: list = dataclasses.field(default_factory=list)

    def __str__(self) -> str:
        more = f" and {len(self.targets) - 1} more" if len(self.targets) > 1 else ""
        return self.targets[0] + more


class Inside:
    """A cell per job, of the server at a URL."""

    def __init__(self, url: str, limits: dict) -> None:
        self.host = urllib.parse.urlsplit(url).netloc
        self.limits = limits
        self.script = PROBE.read_text()

    def once(self, job: Job, document: dict) -> tuple:
        """What it wrote, and how it ended."""
        limits = dict(self.limits, timeout_ms=int(job.seconds * 1000))
        body = json.dumps({"script": self.script, "input": document, "limits": limits})
        connection = http.client.HTTPConnection(self.host, timeout=job.seconds + 120)
        try:
            connection.request("POST", "/v1/executions", body, {"Content-Type": "application/json"})
            record = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        if "stdout" not in record:
            raise RuntimeError(f"the server refused {job}: {record}")
        error = record["error"]
        return record["stdout"], f"{error['type']}: {error['message']}" if error else ""


class Outside:
    """An interpreter per job, with the same packages, in an empty directory of its own."""

    def __init__(self, python: str, packages: Path, variables: dict) -> None:
        self.python = python
        self.variables = dict(variables, PYTHONPATH=str(packages))

    def once(self, job: Job, document: dict) -> tuple:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
            directory = os.path.realpath(directory)
            script = Path(directory, "script", PROBE.name)
            work = Path(directory, "work")
            script.parent.mkdir()
            work.mkdir()
            script.write_text(PROBE.read_text())
            given = Path(directory, "job.json")
            given.write_text(json.dumps(document))
            variables = dict(self.variables, HOME=str(work), TMPDIR=str(work))
            with open(given) as stdin, open(Path(directory, "output"), "w+b") as output:
                # Packages' tests ask what is installed, which is what is installed in the cell.
                flags = ["-s", "-S"] if job.kind == "pytest" else ["-s"]
                process = subprocess.Popen(
                    [self.python, *flags, str(script)],
                    cwd=work,
                    env=variables,
                    stdin=stdin,
                    stdout=output,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
                ended = self.wait(process, job.seconds)
                output.seek(0)
                return output.read().decode("utf-8", "replace"), ended

    def wait(self, process: subprocess.Popen, seconds: float) -> str:
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            return f"timeout: {seconds} s"
        finally:
            try:
                os.killpg(process.pid, 9)  # and what tests have left behind
            except ProcessLookupError:
                pass
            process.wait()
        return "" if status == 0 else f"exited: status {status}"


def run(side: object, job: Job) -> dict:
    """Runs a job to its end: the outcome and the reason of each test, by name."""
    outcomes = {}
    for _ in range(REPEATS):
        done = [test for test in outcomes if not job.only]
        left = [test for test in job.only if test not in outcomes]
        document = dict(kind=job.kind, targets=job.targets, patience=job.patience)
        document.update(done=done, only=left)
        output, ended = side.once(job, document)
        complete, last = read(output, outcomes)
        if complete or last is None or (job.only and not left):
            break
        outcomes[last] = ("end", ended)
    if not complete and last is None:
        outcomes[f"{job.targets[0]} (as a whole)"] = ("end", ended)
    return outcomes


def read(output: str, outcomes: dict) -> tuple:
    """Adds what a process told; whether that was all, and the test that it was in when it ended."""
    last, complete = None, False
    for line in output.splitlines():
        if not line.startswith(probe.MARK):
            continue
        try:
            kind, *fields = json.loads(line[len(probe.MARK) :])
        except ValueError:  # cut, or written over by a test
            continue
        if kind == "begin":
            last = fields[0]
        elif kind == "end":
            test, outcome, reason = fields
            if outcomes.get(test, ("pass",))[0] == "pass":  # the worst of tests of one name
                outcomes[test] = (outcome, reason)
            last = None
        else:
            complete = True
    return complete, last
