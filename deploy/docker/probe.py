#!/usr/bin/env python3
"""Asks a server for what its contract promises, and attacks it: `probe.py URL [LAYER...]`.

The layers are those that may be missing. Prints a line per check; exits with 1 on any miss.
"""

import json
import sys
import urllib.error
import urllib.request

URL = sys.argv[1]
MAY_MISS = set(sys.argv[2:])

# Name, request, status, what the answer's part has to be. The contract's own examples.
EXAMPLES = [
    (
        "hello",
        {"script": "def main():\n    return {'message': 'Hello from sandbox!'}"},
        {"result": {"message": "Hello from sandbox!"}, "stdout": ""},
    ),
    (
        "numpy, input, stdout",
        {
            "script": "import numpy\ndef main(input):\n    print(1)\n    return numpy.mean(input)",
            "input": [1, 2, 6],
        },
        {"result": 3.0, "stdout": "1\n"},
    ),
    (
        "pandas",
        {"script": "import pandas as pd\ndef main():\n    return int(pd.Series([1, 2]).sum())"},
        {"result": 3, "stdout": ""},
    ),
    (
        "files, stdin, env",
        {
            "script": "import os\n"
            "def main():\n    return [open('a').read(), input(), os.environ['X']]",
            "files": [{"path": "a", "text": "A"}],
            "stdin": "B",
            "env": {"X": "C"},
        },
        {"result": ["A", "B", "C"], "stdout": ""},
    ),
]
# Name, request, error.type.
FAILURES = [
    ("exception", {"script": "def main():\n    1 / 0"}, "exception"),
    ("syntax", {"script": "def main(:"}, "syntax_error"),
    ("import", {"script": "import subprocess\ndef main(): pass"}, "restricted_import"),
    (
        "date",
        {"script": "import datetime\ndef main():\n    return datetime.date(2026, 1, 2)"},
        "result_not_json",
    ),
    (
        "timeout",
        {
            "script": "def main():\n    while True: pass",
            "limits": {"timeout_ms": 500, "cpu_ms": 5000},
        },
        "timeout",
    ),
    (
        "memory",
        {
            "script": "def main():\n    return len(bytearray(700 << 20))",
            "limits": {"memory_mb": 64},
        },
        "memory_limit",
    ),
    ("exit", {"script": "import os\ndef main():\n    os._exit(3)"}, "exited"),
]
# Name, body of main, and what it returns where the cell holds: what another root would show is
# refused where there is none.
ATTACKS = [
    (
        "the machine's users",
        "return told(lambda: 'cellblock:' in open('/etc/passwd').read())",
        [False, "refused"],
    ),
    ("write outside /tmp", "return tried(lambda: open('/python/x', 'w'))", ["refused"]),
    ("a socket", "import numpy; return numpy.ctypeslib.ctypes.CDLL(None).socket(2, 1, 0)", [-1]),
    (
        "another program",
        "import os; return tried(lambda: os.execv('/python/bin/python3', ['p', '-V']))",
        ["refused"],
    ),
    (
        "other processes",
        "import os; return told(lambda: sum(p.isdigit() for p in os.listdir('/proc')) <= 2)",
        [True, "refused"],
    ),
    ("the server's /proc", "return tried(lambda: open('/proc/1/environ').read())", ["refused"]),
    ("signal to init", "import os; return tried(lambda: os.kill(1, 9))", ["refused"]),
    ("user id", "import os; return tried(lambda: os.setuid(0))", ["refused"]),
    (
        "what others have open",
        "import os\n"
        "    names = [f'/proc/{p}/{n}' for p in range(1, 500) if p != os.getpid()"
        " for n in ('environ', 'mem', 'fd/1', 'fd/2')]\n"
        "    return [n for n in names if tried(lambda: open(n, 'rb', 0)) == 'done']",
        [[]],
    ),
    ("leave a file", "open('left', 'w').write('x'); return 1", [1]),
    ("find it", "import os; return os.listdir('.')", [[]]),
    (
        "many processes",
        "import os, time\n"
        "    for _ in range(500):\n"
        "        try:\n"
        "            if os.fork() == 0: time.sleep(30)\n"
        "        except OSError: return 'refused'",
        ["refused"],
    ),
    ("still honest", "import numpy; return int(numpy.arange(5).sum())", [10]),
]
TRIED = (
    "def tried(call):\n    try:\n        call()\n        return 'done'\n"
    "    except (OSError, PermissionError): return 'refused'\n"
    "def told(call):\n    try: return call()\n    except OSError: return 'refused'\n"
)


def ask(path: str, body: object = None) -> tuple[int, dict]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(URL + path, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def checks():
    status, health = ask("/health")
    missing = {layer["name"] for layer in health.get("isolation", []) if layer["state"] != "on"}
    on = f"{len(health.get('isolation', [])) - len(missing)} on, not {sorted(missing)}"
    yield "layers on", status == 200 and missing <= MAY_MISS, on
    for name, request, wanted in EXAMPLES:
        status, answer = ask("/execute", request)
        yield name, (status, answer) == (200, wanted), f"{status} {answer}"
    for name, request, wanted in FAILURES:
        status, answer = ask("/execute", request)
        got = answer.get("error", {}).get("type")
        yield name, (status, got) == (400, wanted), f"{status} {answer}"
    for name, body, wanted in ATTACKS:
        status, answer = ask("/execute", {"script": f"{TRIED}def main():\n    {body}"})
        yield f"attack: {name}", answer.get("result", "nothing") in wanted, f"{status} {answer}"


def main() -> int:
    misses = 0
    for name, good, detail in checks():
        misses += not good
        told = "" if good and name != "layers on" else detail
        print(f"{'ok' if good else 'MISS':<5} {name:<28} {told}".rstrip())
    return misses > 0


if __name__ == "__main__":
    sys.exit(main())
