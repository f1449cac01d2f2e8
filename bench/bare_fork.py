"""What a naive sandbox would do, without being one: import numpy and pandas once, and then, for
each script, os.fork(), run it in the child, take its answer through a pipe, and wait for the child.

Takes orders from standard input, one JSON object a line, and answers each with one line:
{"script": ..., "seconds": ..., "think": ..., "runs": ...} runs the script for that long, at
least that often, and waits that long after each time.
Arguments: the directory of the packages; as a second, optional one, a file of Python to run before
the first fork, for comparison with an interpreter whose paths were exercised.
"""

import contextlib
import gc
import io
import json
import os
import resource
import sys
import time

sys.path.insert(0, sys.argv[1])
import numpy  # noqa: F401
import pandas  # noqa: F401


def answer(script):
    """In the child: what `POST /execute` would answer."""
    stdout = io.StringIO()
    names = {"__name__": "script"}
    with contextlib.redirect_stdout(stdout):
        exec(compile(script, "script.py", "exec"), names)
        result = names["main"]()
    return json.dumps({"result": result, "stdout": stdout.getvalue()}).encode()


def write_all(descriptor, data):
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def read_all(descriptor):
    parts = []
    while part := os.read(descriptor, 1 << 20):
        parts.append(part)
    return b"".join(parts)


def run(script):
    """One script in one fork."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reader)
            write_all(writer, answer(script))
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    data = read_all(reader)
    os.close(reader)
    if os.waitpid(child, 0)[1] != 0:
        raise RuntimeError("the script failed")
    return data


def cpu():
    """Seconds that this process and its children have used."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def obey(order):
    script, took, data = order["script"], [], b""
    cpu_before, begun = cpu(), time.perf_counter_ns()
    now, end = begun, begun + int(order["seconds"] * 1e9)
    while now < end or len(took) < order["runs"]:
        before = time.perf_counter_ns()
        data = run(script)
        now = time.perf_counter_ns()
        took.append(now - before)
        if order["think"]:
            time.sleep(order["think"])
    return {
        "latencies_ns": took,
        "elapsed_ns": now - begun,
        "cpu_s": cpu() - cpu_before,
        "answer": data.decode(),
    }


def main():
    if len(sys.argv) > 2:
        with open(sys.argv[2]) as file:
            exec(compile(file.read(), "exercise", "exec"), {"__name__": "exercise"})
        gc.collect()
        gc.freeze()
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        print(json.dumps(obey(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
