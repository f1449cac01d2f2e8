"""One run: a job comes in, the script runs, its answer goes out, the process ends.

`run` is called in a fresh, sealed, single-threaded process, forked from a warm zygote or just
started.
"""

import os
import sys
import time

from . import encode, files, imports, module, outputs, own, report, settle, stdio, where
from .channel import (
    DONE,
    ERROR_PART,
    PAYLOAD_MAX,
    RESULT,
    RESULT_PART,
    STARTED,
    Channel,
    ChannelClosed,
    job_packet,
)
from .encode import TooLarge
from .jsonc import dumps, lift_digit_limit, loads, restore_digit_limit
from .module import build, call_main
from .settle import TOOLS, get_tool, set_events
from .stdio import flush
from .walk import NotJson

__builtins__ = own.NAMES

# What every run uses is fetched by one name, and not from a module by another: each object on the
# way counts references, see `gather`.
quieten, encoded = settle.settle, encode.encode

_INTERNAL = 70  # EX_SOFTWARE
_ATTEMPTS = 1_000
_exit, _getpid, _getcwd = os._exit, os.getpid, os.getcwd
_rehearsal = b""  # a small job
_prepared_for = None  # the working directory


class _Outcome:
    """What became of the script: a value once finished, or else an error."""

    __slots__ = ("error", "finished", "started", "value")

    def __init__(self) -> None:
        self.started = self.finished = False
        self.value = self.error = None


def prepare(home: str, modules: list, restricted: list) -> None:
    """Do what does not depend on the job. In a zygote, for all of its cells.

    `home` is the working directory to be, `modules` what nearly every script will import, and
    `restricted` what none may.
    """
    global _rehearsal, _prepared_for
    where.learn(home)
    sys.argv = [where.SCRIPT]
    sys.path.insert(0, home)
    sys.path_importer_cache.pop(home, None)  # a zygote may have looked at its own /tmp
    sys.dont_write_bytecode = True  # no __pycache__ among the output files
    for name in ("exit", "quit"):  # `site` brings them, but a cold start may do without it
        own.PUBLIC.setdefault(name, _leave)
    report.remember_modules()
    lines = "".join(f"import {name}\n" for name in modules)
    job = {"script": f"{lines}def main(value):\n    return {{'value': value}}\n"}
    job.update(input=[1, 2.5, "x", None], limits={"result_bytes": 1_000}, env={}, stdin="")
    job.update(files=[], output_files=[])
    _rehearsal = dumps(job).encode()
    _prepared_for = home
    imports.install(restricted)
    encode.prepare()
    module.prepare()


def move(home: str) -> None:
    """In a cell whose working directory is not the one that `prepare` was told of."""
    global _prepared_for
    sys.path[sys.path.index(_prepared_for)] = home
    where.learn(home)
    os.environ["HOME"] = os.environ["TMPDIR"] = home
    _prepared_for = home


def run(
    channel_fd: int, ready: object = None, restricted: list = (), rehearse_first: bool = True
) -> None:
    """Serve one job on the channel, then end the process: this never returns.

    `rehearse_first`: whether there is time to run a small job before.
    `ready(channel_fd)` is called once there is nothing left to do but to wait for the job; it may
    return the length of the job's first packet.
    """
    status = _INTERNAL
    try:
        status = _serve(Channel(channel_fd), channel_fd, ready, restricted, rehearse_first)
    except ChannelClosed:
        status = 1
    except BaseException:
        pass
    finally:
        _exit(status)


def serve_rehearsal() -> None:
    """In a zygote: serve the small job as a cell serves a job, with nobody at the other end.

    What would change the process for good is left out: see `settle`.
    """
    global _prepared_for, quieten
    from _socket import AF_UNIX, SHUT_WR, SOCK_SEQPACKET, socketpair

    ours, theirs = socketpair(AF_UNIX, SOCK_SEQPACKET)
    undo, home = quieten, _prepared_for
    quieten, _prepared_for = _nothing, _getcwd()
    try:
        theirs.send(job_packet(_rehearsal))
        theirs.shutdown(SHUT_WR)
        _serve(Channel(ours.fileno()), ours.fileno(), None, (), False)
    finally:
        quieten, _prepared_for = undo, home
        ours.close()
        theirs.close()
        module.forget()


def _nothing() -> None:
    pass


def _serve(
    out: Channel, channel_fd: int, ready: object, restricted: list, rehearse_first: bool
) -> int:
    home = _getcwd()
    if home != _prepared_for:
        stdio.install()
        prepare(home, [], restricted)
    if rehearse_first:
        rehearse()
    document = out.receive_job(ready and ready(channel_fd))
    try:
        job = _parse(document)
        _ = job["script"], job["input"], job["output_files"], job["limits"]  # or KeyError now
        _furnish(job)
    except BaseException as error:
        return _give_up(out, error)
    out.send(STARTED)  # from here on the server believes no failure of the runner
    me = _getpid()
    outcome = _Outcome()
    _run_script(job, outcome)
    if _getpid() != me:
        return _end_fork(outcome, job)
    try:
        kind, data = _answer(job, outcome)
        quieten()  # encoding and describing may have run code of the script once more
    except BaseException as error:
        kind, data = _disturbed(error)
    if kind == RESULT_PART and not job["output_files"] and len(data) <= PAYLOAD_MAX:
        out.send(RESULT, data)
    else:
        out.send(kind, data)
        if job["output_files"]:
            _send_files(out, job, home, channel_fd)
        out.send(DONE)
    # To end takes longer than to answer, and a kernel that does not preempt itself would let the
    # answer wait for it. The server ends the cell when the client has been served.
    out.await_end()
    return 0


def rehearse() -> None:
    """Run a small job as a real one runs: a fork then has its own copies of the pages."""
    job = _parse(_rehearsal)
    outcome = _Outcome()
    _furnish(job)
    _attempt(job, outcome)
    flush()
    _answer(job, outcome)
    module.forget()
    settle.rehearse()  # takes off whatever watches, see `rehearsal`


def _parse(document: bytes) -> dict:
    limit = lift_digit_limit()
    try:
        return loads(document.decode())
    finally:
        restore_digit_limit(limit)


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


def _run_script(job: dict, outcome: _Outcome) -> None:
    """Run the script to its end, and come out with everything quiet.

    Its signal handlers and trace functions may raise between any two steps of this function too, so
    it tries again until nothing is left that could.
    """
    for _ in range(_ATTEMPTS):
        try:
            if not outcome.started:
                outcome.started = True
                _attempt(job, outcome)
            for tool in TOOLS:  # in line, see there
                if get_tool(tool) is not None:
                    set_events(tool, 0)
            flush()
            quieten()
            return
        except BaseException as error:
            if not outcome.finished and outcome.error is None:
                outcome.error = error


def _attempt(job: dict, outcome: _Outcome) -> None:
    try:
        code, space = build(job["script"])
        exec(code, vars(space))
        outcome.value = call_main(space, job["input"])
        outcome.finished = True
    except BaseException as error:
        outcome.error = error


def _answer(job: dict, outcome: _Outcome) -> tuple:
    """The packet kind and the data that answer the job."""
    if outcome.error is not None:
        own.restore_public()
        document = report.describe(outcome.error, job["script"])
        stdio.write_error(document.pop("note", ""))
        return ERROR_PART, report.pack(document)
    try:
        return RESULT_PART, encoded(outcome.value, job["limits"]["result_bytes"])
    except NotJson as error:
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


def _end_fork(outcome: _Outcome, job: dict) -> int:
    """A child that the script forked came back from main() too: it ends, and answers nothing."""
    if outcome.error is None:
        return 0
    own.restore_public()
    document = report.describe(outcome.error, job["script"])
    stdio.write_error(document.get("note") or document.get("traceback", ""))
    return document.get("exit_code", 1)


def _give_up(out: Channel, error: BaseException) -> int:
    """The runner's own failure, or a job that no server should have sent."""
    known = isinstance(error, files.BadFile)
    message = error.args[0] if known else f"the runner failed: {type(error).__name__}"
    document = report.pack({"type": "internal", "message": message})
    out.send(ERROR_PART, document)
    out.send(DONE)
    return _INTERNAL
