"""Modules that are told of a sandbox when they are imported."""

import unittest

from harness import run

_POOL = """
import multiprocessing as mp
from multiprocessing import shared_memory
def square(n): return n * n
def main():
    from multiprocessing import resource_tracker
    resource_tracker.ensure_running()
    with mp.Pool(2) as pool: squares = pool.map(square, range(5))
    shared = shared_memory.SharedMemory(create=True, size=10)
    shared.buf[0] = 7
    other = shared_memory.SharedMemory(shared.name)
    again = other.buf[0]
    other.close()
    shared.close(), shared.unlink()
    loader = type(resource_tracker.__loader__).__module__
    return [squares, again, resource_tracker._resource_tracker._pid, mp.get_start_method(), loader]
"""
_SPAWN = """
import multiprocessing as mp
def main():
    mp.get_context({method!r}).Process(target=print).start()
"""
_SENDMSG = """
import asyncio.selector_events
def main(): return vars(asyncio.selector_events).get("_HAS_SENDMSG", False)
"""


class Told(unittest.TestCase):
    def test_processes_are_forked_and_nothing_tracks_them(self):
        for cold in (False, True):
            answer = run(_POOL, cold=cold)
            expected = [[0, 1, 4, 9, 16], 7, None, "fork", "_frozen_importlib_external"]
            self.assertEqual(answer.result, expected)
            self.assertEqual(answer.stderr, b"")

    def test_start_methods_that_start_programs_say_what_to_use(self):
        for method in ("spawn", "forkserver"):
            error = run(_SPAWN.format(method=method)).error
            self.assertEqual((error["type"], error["line"]), ("exception", 4))
            self.assertIn(f"the start method {method!r} does", error["message"])
            self.assertIn("get_context('fork')", error["message"])

    def test_what_is_imported_already_is_told_as_well(self):
        self.assertIs(run(_SENDMSG).result, False)


if __name__ == "__main__":
    unittest.main()
