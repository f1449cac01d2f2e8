"""Put in front of attacks that forge answers: the run's token, from the runner's own frames."""

import os as _os
import sys as _sys


def _token():
    frame = _sys._getframe()
    while frame is not None:
        if "token" in frame.f_locals:
            return frame.f_locals["token"]
        frame = frame.f_back


def send(kind, payload=b""):
    """Send a packet as the runner would."""
    _os.write(1000, _token() + bytes((kind,)) + payload)
