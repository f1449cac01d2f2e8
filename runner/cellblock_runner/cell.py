"""One run: a job comes in, the script runs, its answer goes out, the process ends.

`run` is called in a fresh, sealed, single-threaded process, forked from a warm zygote or just
started.
"""

import os
import sys
import time

from . import (
    channel,
    encode,
    files,
    imports,
    jsonc,
    module,
    outputs,
    own,
    report,
    settle,
    stdio,
    where,
)
from .settle import TOOLS, get_tool, set_events
from .walk import NotJson

__builtins__ = own.NAMES

_INTERNAL = 70  # EX_SOFTWARE
_ATTEMPTS = 1_000
_exit, _getpid = os._exit, os.getpid
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
    _rehearsal = jsonc.dumps(job).encode()
    _prepared_for = home
    imports.install(restricted)


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
        status = _serve(channel.Channel(channel_fd), channel_fd, ready, restricted, rehearse_first)
    except channel.ChannelClosed:
        status = 1
    except BaseException:
        pass
    finally:
        _exit(status)


def serve_rehearsal() -> None:
    """In a zygote: serve the small job as a cell serves a job, with nobody at the other end.

    What would change the process for good is left out: see `settle`.
    """
    global _prepared_for
    from _socket import AF_UNIX, SHUT_WR, SOCK_SEQPACKET, socketpair

    ours, theirs = socketpair(AF_UNIX, SOCK_SEQPACKET)
    undo, home = settle.settle, _prepared_for
    settle.settle, _prepared_for = _nothing, os.getcwd()
    try:
        theirs.send(channel.job_packet(_rehearsal))
        theirs.shutdown(SHUT_WR)
        _serve(channel.Channel(ours.fileno()), ours.fileno(), None, (), False)
    finally:
        settle.settle, _prepared_for = undo, home
        ours.close()
        theirs.close()
        module.forget()


def _nothing() -> None:
    pass


def _serve(
    out: channel.Channel, channel_fd: int, ready: object, restricted: list, rehearse_first: bool
) -> int:
    home = os.getcwd()
    if home != _prepared_for:
        stdio.install()
        prepare(home, [], restricted)
    if rehearse_first:
        rehearse()
    document = out.receive_job(ready and ready(channel_fd))
    try:
        job = _parse(document)
        _ = [job[name] for name in ("script", "input", "output_files", "limits")]  # or KeyError now
        _furnish(job)
    except BaseException as error:
        return _give_up(out, error)
    out.send(channel.STARTED)  # from here on the server believes no failure of the runner
    me = _getpid()
    outcome = _Outcome()
    _run_script(job, outcome)
    if _getpid() != me:
        return _end_fork(outcome, job)
    try:
        kind, data = _answer(job, outcome)
        settle.settle()  # encoding and describing may have run code of the script once more
    except BaseException as error:
        kind, data = _disturbed(error)
    if kind == channel.RESULT_PART and not job["output_files"] and len(data) <= channel.PAYLOAD_MAX:
        out.send(channel.RESULT, data)
    else:
        out.send(kind, data)
        if job["output_files"]:
            _send_files(out, job, home, channel_fd)
        out.send(channel.DONE)
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
    stdio.flush()
    _answer(job, outcome)
    module.forget()
    settle.rehearse()  # takes off whatever watches, see `rehearsal`


def _parse(document: bytes) -> dict:
    limit = jsonc.lift_digit_limit()
    try:
        return jsonc.loads(document.decode())
    finally:
        jsonc.restore_digit_limit(limit)


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
            stdio.flush()
            settle.settle()
            return
        except BaseException as error:
            if not outcome.finished and outcome.error is None:
                outcome.error = error


def _attempt(job: dict, outcome: _Outcome) -> None:
    try:
        code, space = module.build(job["script"])
        exec(code, vars(space))
        outcome.value = module.call_main(space, job["input"])
        outcome.finished = True
    except BaseException as error:
        outcome.error = error


def _answer(job: dict, outcome: _Outcome) -> tuple:
    """The packet kind and the data that answer the job."""
    if outcome.error is not None:
        own.restore_public()
        document = report.describe(outcome.error, job["script"])
        stdio.write_error(document.pop("note", ""))
        return channel.ERROR_PART, report.pack(document)
    try:
        return channel.RESULT_PART, encode.encode(outcome.value, job["limits"]["result_bytes"])
    except NotJson as error:
        document = {"type": "result_not_json", "message": error.message}
        document.update(path=error.path, hint=error.hint)
    except encode.TooLarge as error:
        document = {"type": "result_too_large", "message": error.args[0]}
    except MemoryError:
        message = "MemoryError: out of memory while the result was encoded"
        document = {"type": "memory_limit", "message": message}
    return channel.ERROR_PART, report.pack(document)


def _disturbed(error: BaseException) -> tuple:
    """Something the script left behind kept raising: its doing, not an internal error."""
    name = type(error).__name__
    message = (
        f"{name} was raised by something the script left behind, while its answer was prepared"
    )
    return channel.ERROR_PART, report.pack({"type": "exception", "message": message})


def _send_files(out: channel.Channel, job: dict, home: str, spare: int) -> None:
    own.restore_public()
    try:
        outputs.send_matching(out, job["output_files"], job["limits"], home, spare)
    except channel.ChannelClosed:
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


def _give_up(out: channel.Channel, error: BaseException) -> int:
    """The runner's own failure, or a job that no server should have sent."""
    known = isinstance(error, files.BadFile)
    message = error.args[0] if known else f"the runner failed: {type(error).__name__}"
    document = report.pack({"type": "internal", "message": message})
    out.send(channel.ERROR_PART, document)
    out.send(channel.DONE)
    return _INTERNAL
