"""One run: a job comes in, the script runs, its answer goes out, the process ends.

`run` is called in a fresh, sealed, single-threaded process, forked from a warm zygote or just
started.
"""

import os
import sys
import time

from . import (
    adapt,
    encode,
    ending,
    files,
    imports,
    module,
    outputs,
    own,
    procfiles,
    report,
    settle,
    stdio,
    where,
)
from .channel import DONE, ERROR_PART, RESULT_PART, Channel, ChannelClosed, job_packet
from .encode import TooLarge
from .jsonc import dumps
from .settle import TOOLS, get_tool, set_events
from .stdio import flush
from .walk import NotJson

__builtins__ = own.NAMES

# What every run uses is fetched by one name, and not from a module by another: each object on the
# way counts references, see `gather`.
quieten, encoded = settle.settle, encode.encode

_INTERNAL = 70  # EX_SOFTWARE
_AS_PROGRAM = 3  # as the native half numbers the ways to run a script
_ATTEMPTS = range(1_000)
_exit = os._exit
_rehearsal = b""  # the packet of a small job
_prepared_for = None  # the working directory
# The native half's.
_receive = _unpack = _take_apart = _ordinary = _is_fork = _forget = None
_is_end_due = _has_objects = None


class _Outcome:
    """What became of the script: a value once finished, or else an error. Answered if there is
    nothing left to do."""

    __slots__ = ("answered", "error", "finished", "started", "value")

    def __init__(self) -> None:
        self.answered = self.started = self.finished = False
        self.value = self.error = None


def prepare(home: str, modules: list, restricted: dict) -> None:
    """Do what does not depend on the job. In a zygote, for all of its cells.

    `home` is the working directory to be, `modules` what nearly every script will import, and
    `restricted` what none may, with the reasons.
    """
    global _rehearsal, _prepared_for
    global _receive, _unpack, _take_apart, _ordinary, _is_fork, _forget, _is_end_due, _has_objects
    where.learn(home)
    sys.argv = [where.SCRIPT]
    sys.path.insert(0, home)
    sys.path_importer_cache.pop(home, None)  # a zygote may have looked at its own /tmp
    sys.dont_write_bytecode = True  # no __pycache__ among the output files
    for name in ("exit", "quit"):  # `site` brings them, but a cold start may do without it
        own.PUBLIC.setdefault(name, _leave)
    report.remember_modules()
    lines = "".join(f"import {name}\n" for name in modules)
    # To look at a module writes to it: it counts who does.
    looks = "".join(f"    {name}.__name__\n" for name in modules)
    job = {"script": f"{lines}def main():\n{looks}    return {{'value': 1.5}}\n"}
    job.update(input=[1, 2.5, "x", None], limits={"result_bytes": 1_000}, env={}, stdin="")
    job.update(files=[], output_files=[])
    _rehearsal = job_packet(dumps(job).encode())
    _prepared_for = home
    imports.install(restricted)
    adapt.install()
    procfiles.install()
    module.prepare()
    ordinary = module.ordinary
    _receive, _unpack, _take_apart = ordinary.receive, ordinary.unpack, ordinary.take_apart
    _ordinary = ordinary.run
    _is_fork, _forget = ordinary.is_fork, ordinary.forget
    _is_end_due, _has_objects = ordinary.is_end_due, ordinary.has_objects


def move(home: str) -> None:
    """In a cell whose working directory is not the one that `prepare` was told of."""
    global _prepared_for
    sys.path[sys.path.index(_prepared_for)] = home
    where.learn(home)
    os.environ["HOME"] = os.environ["TMPDIR"] = home
    _prepared_for = home


def run(
    channel_fd: int,
    ready: object = None,
    restricted: dict | None = None,
    rehearse_first: bool = True,
) -> None:
    """Serve one job on the channel, then end the process: this never returns.

    `rehearse_first`: whether there is time to run a small job before.
    `ready(channel_fd)` is called once there is nothing left to do but to wait for the job; it may
    return the length of the job's first packet.
    """
    status = _INTERNAL
    try:
        status = _serve(channel_fd, ready, restricted, rehearse_first)
    except ChannelClosed:
        status = 1
    except BaseException:
        pass
    finally:
        _exit(status)


def _serve(channel_fd: int, ready: object, restricted: dict | None, rehearse_first: bool) -> int:
    if _prepared_for is None:
        stdio.install()
        prepare(os.getcwd(), [], restricted or {})
    if rehearse_first:
        rehearse()
    received = _receive(channel_fd, ready and ready(channel_fd))
    if received is None:
        return 1
    token, document = received
    try:
        script, way, given, limit, more = _take_apart(document)
        if more is not None:
            _furnish(more)
    except BaseException as error:
        return _give_up(Channel(channel_fd, token), error)
    # Once the native half has said that the script starts, the server believes no failure of the
    # runner.
    outcome = _Outcome()
    whole = more is None or not more["output_files"]
    _until_quiet(outcome, _attempt, (script, way, given, limit, (channel_fd, token), whole))
    if outcome.answered:
        return 0
    if _is_fork():
        return _end_fork(outcome, script)
    out = Channel(channel_fd, token)
    try:
        kind, data = _answer(outcome, script, way, limit)
        quieten()  # encoding and describing may have run code of the script once more
    except BaseException as error:
        kind, data = _disturbed(error)
    _end_program(outcome, script)
    if _is_fork():  # a child that the end has forked
        return 0
    out.send(kind, data)
    if not whole:
        _send_files(out, more, _prepared_for, channel_fd)
    out.send(DONE)
    # To end takes longer than to answer, and a kernel that does not preempt itself would let the
    # answer wait for it. The server hangs up when the client has been served.
    out.await_end()
    return 0


def rehearse() -> None:
    """Run a small job as a real one runs: a fork then has its own copies of the pages."""
    _, document = _unpack(_rehearsal)
    script, way, given, limit, _ = _take_apart(document)
    _attempt(_Outcome(), (script, way, given, limit, None, True))
    _forget()
    if module.lines is None:  # a finder stands for them
        module.forget()


def _furnish(job: dict) -> None:
    """Give the script what came with the job."""
    if job["env"]:
        os.environ.update(job["env"])
        if "TZ" in job["env"]:
            time.tzset()
    if job["stdin"]:
        stdio.feed_stdin(job["stdin"])
    if job["files"]:
        files.place(job["files"])


def _leave(code: object = None) -> None:
    raise SystemExit(code)


def _until_quiet(outcome: _Outcome, attempt: object, job: tuple) -> None:
    """Run code of the script, and come out with everything quiet, unless it is answered.

    Its signal handlers and trace functions may raise between any two steps of this function too, so
    it tries again until nothing is left that could.
    """
    for _ in _ATTEMPTS:
        try:
            if not outcome.started:
                outcome.started = True
                attempt(outcome, job)
            if outcome.answered:
                return
            for tool in TOOLS:  # in line, see there
                if get_tool(tool) is not None:
                    set_events(tool, 0)
            flush()
            quieten()
            return
        except BaseException as error:
            if not outcome.finished and outcome.error is None:
                outcome.error = error


def _attempt(outcome: _Outcome, job: tuple) -> None:
    ended = _ordinary(*job)
    if ended is None:
        outcome.answered = True
        return
    finished, value = ended
    if finished:
        outcome.value, outcome.finished = value, True
    else:
        outcome.error = value


def _end_program(outcome: _Outcome, script: str) -> None:
    """Do what the end of a program does, if there is anything to do."""
    if _is_end_due(script):
        outcome.value = outcome.error = None  # all that they hold ends too
        _until_quiet(_Outcome(), _attempt_end, (_has_objects, script, _prepared_for))


def _attempt_end(outcome: _Outcome, job: tuple) -> None:
    ending.run(*job)


def _answer(outcome: _Outcome, script: str, way: int, limit: int) -> tuple:
    """The packet kind and the data that answer the job."""
    if outcome.error is not None:
        own.restore_public()
        document = report.describe(outcome.error, script)
        stdio.write_error(document.pop("note", ""))
        return ERROR_PART, report.pack(document)
    try:
        return RESULT_PART, encoded(outcome.value, limit)
    except NotJson as error:
        if way == _AS_PROGRAM:
            return RESULT_PART, b"null"
        document = {"type": "result_not_json", "message": error.message}
        document.update(path=error.path, hint=error.hint)
    except TooLarge as error:
        document = {"type": "result_too_large", "message": error.args[0]}
    except MemoryError:
        message = "MemoryError: out of memory while the result was encoded"
        document = {"type": "memory_limit", "message": message}
    return ERROR_PART, report.pack(document)


def _disturbed(error: BaseException) -> tuple:
    """Something the script left behind kept raising: its doing, not an internal error."""
    name = type(error).__name__
    message = (
        f"{name} was raised by something the script left behind, while its answer was prepared"
    )
    return ERROR_PART, report.pack({"type": "exception", "message": message})


def _send_files(out: Channel, job: dict, home: str, spare: int) -> None:
    own.restore_public()
    try:
        outputs.send_matching(out, job["output_files"], job["limits"], home, spare)
    except ChannelClosed:
        raise
    except BaseException:
        pass  # the files it could not reach are missing from the answer, which stands


def _end_fork(outcome: _Outcome, script: str) -> int:
    """A child that the script forked came back from main() too: it ends, and answers nothing."""
    code = 0
    if outcome.error is not None:
        own.restore_public()
        document = report.describe(outcome.error, script)
        stdio.write_error(document.get("note") or document.get("traceback", ""))
        code = document.get("exit_code", 1)
    _end_program(outcome, script)
    return code


def _give_up(out: Channel, error: BaseException) -> int:
    """The runner's own failure, or a job that no server should have sent."""
    known = isinstance(error, files.BadFile)
    message = error.args[0] if known else f"the runner failed: {type(error).__name__}"
    document = report.pack({"type": "internal", "message": message})
    out.send(ERROR_PART, document)
    out.send(DONE)
    return _INTERNAL
