"""The packet channel to the server: one os.write is one packet, 16-byte token, kind, payload.

For answers of more than one packet. The native half reads the job, and sends what is ordinary.
"""

import errno
import os
import time

from . import own

__builtins__ = own.NAMES

JOB_HEAD = 0x01
RESULT_PART, ERROR_PART, FILE_HEAD, FILE_PART, DONE = 0x11, 0x12, 0x13, 0x14, 0x1F

PACKET_MAX = 65_536
TOKEN_SIZE = 16
PAYLOAD_MAX = PACKET_MAX - TOKEN_SIZE - 1

# Captured now: the script may replace any of them later.
_read, _write, _set_blocking, _sleep = os.read, os.write, os.set_blocking, time.sleep
_RETRY = frozenset((errno.EAGAIN, errno.EINTR, errno.ENOBUFS, errno.ENOMEM))


class ChannelClosed(Exception):
    """The server is gone: there is nobody left to answer."""


class Channel:
    """Of one run, which has this token."""

    __slots__ = ("_fd", "_token")

    def __init__(self, fd: int, token: bytes) -> None:
        self._fd, self._token = fd, token

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
        """Wait until the server has hung up, or has this process killed."""
        try:
            while _read(self._fd, PACKET_MAX):
                pass
        except OSError:
            pass

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
