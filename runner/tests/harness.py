"""Runs jobs in real processes: a packet socketpair, real pipes, a fresh directory each."""

import contextlib
import json
import os
import select
import shutil
import socket
import struct
import sys
import tempfile
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # the parent must stay single-threaded to fork

import cellblock_runner
from cellblock_runner import cell, seed

CHANNEL = 1000
TOKEN = bytes(range(100, 116))
RESULT, ERROR, FILE_HEAD, FILE_PART, STARTED, DONE = 0x11, 0x12, 0x13, 0x14, 0x15, 0x1F
WHOLE_RESULT = 0x16  # and done
LIMITS = {"result_bytes": 4 << 20, "output_files_bytes": 1 << 20, "output_files_count": 10}
_COLD = (
    "import sys, json; from cellblock_runner import cell; "
    "cell.run(int(sys.argv[1]), None, json.loads(sys.argv[2]))"
)
# Where the runner, its native half and an environment's packages lie.
_ROOTS = [
    os.path.abspath(path) for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path
]

cellblock_runner.preload()


class Answer:
    """Everything a cell sent and printed, and how it ended."""

    def __init__(self):
        self.frames, self.stdout, self.stderr, self.status = [], b"", b"", None
        self.seconds = 0.0
        self.junk = self.empty = 0

    def joined(self, kind):
        return b"".join(payload for k, payload in self.frames if k == kind)

    @property
    def result(self):
        if self.error is not None:
            raise AssertionError(f"no result but {self.error}; stderr {self.stderr!r}")
        return json.loads(self.text)

    @property
    def text(self):
        return self.joined(RESULT).decode()

    @property
    def error(self):
        data = self.joined(ERROR)
        return json.loads(data) if data else None

    @property
    def done(self):
        return bool(self.frames) and self.frames[-1] == (DONE, b"")

    @property
    def files(self):
        found = []
        for kind, payload in self.frames:
            if kind == FILE_HEAD:
                found.append((json.loads(payload), b""))
            elif kind == FILE_PART:
                found[-1] = (found[-1][0], found[-1][1] + payload)
        return found


def document(script, **fields):
    job = {"script": script, "stdin": "", "env": {}, "files": [], "output_files": []}
    job.update(limits=dict(LIMITS))
    job["limits"].update(fields.pop("limits", {}))
    job.update(fields)
    return json.dumps(job, ensure_ascii=False).encode()


def packets(data):
    """The packets of a job document."""
    head = TOKEN + b"\x01" + struct.pack("<QQQ", len(data), 1 << 30, 60)
    room = 65536 - len(head)
    yield head + data[:room]
    for start in range(room, len(data), 65519):
        yield TOKEN + b"\x02" + data[start : start + 65519]


def run(script, cold=False, timeout=20.0, hook=None, python_args=(), restricted=None, **fields):
    """Run one job; `hook(pid, server)` may meddle before the job is sent."""
    data = document(script, **fields)
    home = os.path.realpath(tempfile.mkdtemp(prefix="cell"))
    server, client = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pipes = [os.pipe(), os.pipe()]
    start = _start_cold if cold else _start_fork
    pid = start(client, pipes, home, python_args, restricted)
    client.close()
    for _, write_end in pipes:
        os.close(write_end)
    try:
        return _converse(pid, server, [r for r, _ in pipes], data, timeout, hook)
    finally:
        server.close()
        for read_end, _ in pipes:
            os.close(read_end)
        shutil.rmtree(home, ignore_errors=True)


def _start_fork(client, pipes, home, python_args, restricted):
    pid = os.fork()
    if pid:
        return pid
    try:
        _seat(client.fileno(), pipes, home)
        seed.reseed()
        cell.run(CHANNEL, None, restricted)
    finally:
        os._exit(99)


def _seat(client, pipes, home):
    os.dup2(client, CHANNEL)
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (pipes[0][1], 1), (pipes[1][1], 2)):
        os.dup2(source, target)
    os.closerange(3, CHANNEL)  # the parent's ends too
    os.chdir(home)


def _start_cold(client, pipes, home, python_args, restricted):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(_ROOTS)}
    command = [sys.executable, *python_args, "-c", _COLD, str(CHANNEL)]
    command.append(json.dumps(restricted or {}))
    pid = os.fork()
    if pid:
        return pid
    try:
        _seat(client.fileno(), pipes, home)
        os.execve(sys.executable, command, environment)
    finally:
        os._exit(99)


def _converse(pid, server, readers, data, timeout, hook):
    answer = Answer()
    if hook:
        hook(pid, server)
    begun = time.perf_counter()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        for packet in packets(data):
            server.send(packet)
    deadline = time.monotonic() + timeout
    waiting = {server.fileno(), *readers}
    while waiting:
        left = deadline - time.monotonic()
        if left <= 0:
            break
        for fd in select.select(list(waiting), [], [], left)[0]:
            if fd != server.fileno():
                piece = os.read(fd, 65536)
                answer.stdout += piece if fd == readers[0] else b""
                answer.stderr += piece if fd == readers[1] else b""
            else:
                piece = _receive(server, answer)
                if answer.done and not answer.seconds:
                    answer.seconds = time.perf_counter() - begun
                    server.shutdown(socket.SHUT_WR)  # a server would end the cell now
                    deadline = min(deadline, time.monotonic() + 1)
            if not piece:
                waiting.discard(fd)
    answer.status = _reap(pid)
    return answer


def _receive(server, answer):
    try:
        packet = server.recv(65536 + 1)
    except ConnectionResetError:
        return b""
    if packet[:16] == TOKEN:
        if packet[16] == WHOLE_RESULT:
            answer.frames += [(RESULT, packet[17:]), (DONE, b"")]
        elif packet[16] != STARTED:
            answer.frames.append((packet[16], packet[17:]))
        assert len(packet) <= 65536
    else:
        answer.junk += bool(packet)
        answer.empty += not packet
        # An empty packet reads like the end, but the end goes on and on.
        return b"junk" if packet or answer.empty < 5 else b""
    return packet


def _reap(pid):
    for _ in range(100):
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    return "hung"
