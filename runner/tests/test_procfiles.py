"""The files of /proc that are made when they are opened."""

import unittest

from harness import run

_READ = """
import io, os, pathlib
def main():
    lines = pathlib.Path("/proc/meminfo").read_text().splitlines()
    memory = dict(line.removesuffix(" kB").split(":") for line in lines)
    with open("/proc/stat", "rb") as file:
        first, name = file.readline().split(), file.name
        file.seek(0)
        assert file.readline().split()[0] == first[0] == b"cpu"
    processors = io.open("/proc/cpuinfo").read().count("processor\\t:")
    up, idle = map(float, open(file="/proc/uptime").read().split())
    return [sorted(map(int, memory.values()))[0] >= 0, len(first), name, abs(idle - up * processors) < 0.1,
            processors == len(os.sched_getaffinity(0)), open("/proc/loadavg").read().split()[:3],
            os.getloadavg(), os.listdir("."), io.open is open]
"""
_ORDINARY = """
import _io, pathlib
class Holder:
    open = open
def main():
    with Holder().open("x", mode="w", encoding="utf-8") as file: file.write("written")
    with open(b"x", "rb", buffering=0) as file: read = file.read().decode()
    errors = []
    for bad in ("missing", "\\udc80", 1.5, None, pathlib.Path("/proc/none")):
        try: open(bad)
        except Exception as error: errors.append(type(error).__name__)
    return [read, errors, open.__name__, open.__module__ == _io.open.__module__]
"""


class Made(unittest.TestCase):
    def test_they_are_of_the_cell(self):
        for cold in (False, True):
            result = run(_READ, cold=cold).result
            zeros = ["0.00", "0.00", "0.00"], [0.0, 0.0, 0.0]
            self.assertEqual(result, [True, 11, "/proc/stat", True, True, *zeros, [], True])

    def test_all_else_is_opened_as_ever(self):
        errors = ["FileNotFoundError", "FileNotFoundError", "TypeError", "TypeError"]
        expected = ["written", [*errors, "FileNotFoundError"], "open", True]
        self.assertEqual(run(_ORDINARY).result, expected)


if __name__ == "__main__":
    unittest.main()
