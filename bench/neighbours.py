#!/usr/bin/env python3
"""Measures honest requests, quiet and beside hostile ones. Usage: bench-neighbours URL [SECONDS].

The server must be running, on this machine and without keys. Every kind of hostile run is sent
again as soon as it has been answered, all from one address, as by one attacker, while an honest
client at another measures. With SPREAD=1 each kind comes from an address of its own.
"""

import http.client
import json
import os
import sys
import threading
import time
import urllib.parse

HONEST = "def main(): return sum(i * i for i in range(1000))"
LIMITS = {"timeout_ms": 1000, "cpu_ms": 60000, "memory_mb": 64}
FORKS = "import os\ndef main():\n    os.fork(), os.fork(), os.fork()\n"
HOSTILE = {
    "CPU": FORKS + "    while True: pass",
    "memory": "def main():\n    kept = []\n    while True: kept.append(bytes(1 << 20))",
    "processes": FORKS + "    while True:\n        try: os.fork()\n        except OSError: pass",
    "output": FORKS + "    while True: os.write(1, b'x' * 65536)",
    "the channel": FORKS + "    while True: os.write(1000, b'junk')",
    "files": "def main():\n    while True: open('x', 'wb').write(bytes(32 << 20))",
}


def send(url, script, limits, source="127.0.0.1"):
    """The answer's body, and the seconds that it took."""
    body = json.dumps({"script": script, "limits": limits})
    host = urllib.parse.urlsplit(url).netloc
    begun = time.perf_counter()
    connection = http.client.HTTPConnection(host, timeout=60, source_address=(source, 0))
    try:
        connection.request("POST", "/execute", body, {"Content-Type": "application/json"})
        text = connection.getresponse().read()
    finally:
        connection.close()
    return json.loads(text), time.perf_counter() - begun


def measure(url, seconds):
    """Milliseconds of honest requests, in order, and how many failed."""
    took, failed, end = [], 0, time.monotonic() + seconds
    while time.monotonic() < end:
        answer, duration = send(url, HONEST, {})
        failed += answer.get("result") != 332833500
        took.append(duration * 1000)
    return sorted(took), failed


def show(name, took, failed):
    p50, p99 = took[len(took) // 2], took[len(took) * 99 // 100]
    print(f"{name:8} {len(took):6} requests  p50 {p50:7.1f} ms  p99 {p99:7.1f} ms  failed {failed}")
    return p99


def main():
    url, seconds = sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 10
    quiet = show("quiet", *measure(url, seconds))
    stop, answers = threading.Event(), dict.fromkeys(HOSTILE, 0)

    def attack(name):
        number = list(HOSTILE).index(name) if os.environ.get("SPREAD") else 0
        while not stop.is_set():
            send(url, HOSTILE[name], LIMITS, f"127.0.0.{2 + number}")
            answers[name] += 1

    clients = [threading.Thread(target=attack, args=(name,), daemon=True) for name in HOSTILE]
    for client in clients:
        client.start()
    time.sleep(1)
    loud = show("beside", *measure(url, seconds))
    stop.set()
    for client in clients:
        client.join(30)
    print(f"p99 {loud / quiet:.1f} x the quiet one; hostile runs answered: {answers}")


if __name__ == "__main__":
    main()
