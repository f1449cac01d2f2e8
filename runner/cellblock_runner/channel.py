"""The packet channel to the server: one os.write is one packet, 16-byte token, kind, payload."""

import errno
import os
import time

from . import own

__builtins__ = own.NAMES

JOB_HEAD, JOB_PART = 0x01, 0x02
RESULT_PART, ERROR_PART, FILE_HEAD, FILE_PART, STARTED = 0x11, 0x12, 0x13, 0x14, 0x15
RESULT, DONE = 0x16, 0x1F

PACKET_MAX = 65_536
TOKEN_SIZE = 16
PAYLOAD_MAX = PACKET_MAX - TOKEN_SIZE - 1

# Captured now: the script may replace any of them later.
_read, _write, _set_blocking, _sleep = os.read, os.write, os.set_blocking, time.sleep
_RETRY = frozenset((errno.EAGAIN, errno.EINTR, errno.ENOBUFS, errno.ENOMEM))


class ChannelClosed(Exception):
    """The server is gone, or spoke out of turn: there is nobody left to answer."""


class Channel:
    """One job in, one answer out. The token is learned from the first packet."""

    __slots__ = ("_fd", "_token")

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._token = b""

    def receive_job(self, length: int | None = None) -> bytes:
        """Wait for a job and return its whole document; `length` is that of its first packet."""
        head = self._packet(length or PACKET_MAX)
        size = TOKEN_SIZE + 1
        start = size + 3 * 8  # the two limits after the size are the native half's
        if len(head) < start or head[TOKEN_SIZE] != JOB_HEAD:
            raise ChannelClosed
        self._token = head[:TOKEN_SIZE]
        total = int.from_bytes(head[size : size + 8], "little")
        if len(head) - start == total:
            return head[start:]
        document = bytearray(head[start:])
        while len(document) < total:
            part = self._packet()
            if (
                len(part) <= TOKEN_SIZE + 1
                or part[TOKEN_SIZE] != JOB_PART
                or part[:TOKEN_SIZE] != self._token
            ):
                raise ChannelClosed
            document += part[TOKEN_SIZE + 1 :]
        if len(document) != total:
            raise ChannelClosed
        return bytes(document)

    def send(self, kind: int, data: bytes = b"") -> None:
        """Send `data` in as many packets of one kind as it takes, one at least."""
        prefix = self._token + bytes((kind,))
        if len(data) <= PAYLOAD_MAX:
            self._put(prefix + data)
            return
        view = memoryview(data)
        for start in range(0, len(view), PAYLOAD_MAX):
            self._put(prefix + view[start : start + PAYLOAD_MAX])

    def await_end(self) -> None:
        """Wait until the server has gone, or has this process killed, which is what it does."""
        try:
            while _read(self._fd, PACKET_MAX):
                pass
        except OSError:
            pass

    def _packet(self, length: int = PACKET_MAX) -> bytes:
        try:
            packet = _read(self._fd, length)
        except OSError:
            raise ChannelClosed from None
        if not packet:
            raise ChannelClosed
        return packet

    def _put(self, packet: bytes) -> None:
        while True:
            try:
                _write(self._fd, packet)
                return
            except OSError as error:
                if error.errno not in _RETRY:
                    raise ChannelClosed from None
                if error.errno == errno.EAGAIN:
                    _set_blocking(self._fd, True)  # a script may have cleared it
                else:
                    _sleep(0.0005)


def job_packet(document: bytes) -> bytes:
    """A job's first and only packet, as the server would send it."""
    head = bytes(TOKEN_SIZE) + bytes((JOB_HEAD,)) + len(document).to_bytes(8, "little")
    return head + bytes(2 * 8) + document
