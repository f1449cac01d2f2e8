"""Hints: of what comes of the sandbox, by what led to it, and whatever the exception is made of."""

import unittest

from cellblock_runner import advice
from harness import run


class Hints(unittest.TestCase):
    def hint(self, script, kind="exception", **fields):
        error = run(script, **fields).error
        self.assertEqual(error["type"], kind)
        return error.get("hint")

    def check(self, script, expected, **fields):
        for cold in (False, True):
            with self.subTest(script, cold=cold):
                self.assertEqual(self.hint(script, cold=cold, **fields), expected)

    def test_files(self):
        self.check("def main(): open('data.csv')", advice.FILES)
        self.check("def main(): open('/nosuch/data.csv')", advice.OUTSIDE)
        self.check("def main(): open('nosuch/data.csv', 'w')", None)
        self.check("import os\ndef main(): os.open(b'data.csv', os.O_RDONLY)", None)

    def test_modules(self):
        self.assertIn("'nosuch' is not in this environment", self.hint("import nosuch.a"))
        self.check("import json.nosuch", None)
        self.check("import paramiko", advice.NETWORK)
        self.check("raise ModuleNotFoundError", None)
        self.check("raise ModuleNotFoundError(name=5)", None)
        self.check("raise ModuleNotFoundError(name='a' + chr(10) + 'b')", None)

    def test_what_a_library_made_of_it(self):
        library = "def fetch():\n    try:\n        open('/nosuch/a')\n    except OSError as error:\n        "
        for raising, expected in (
            ("raise ValueError('x') from error", advice.OUTSIDE),
            ("raise ConnectionError('x')", advice.OUTSIDE),
            ("raise ConnectionError('x') from None", None),
            ("raise ValueError('x')", None),
            ("1 / 0", None),
        ):
            self.check(f"{library}{raising}\ndef main(): fetch()", expected)

    def test_refused_by_the_system_or_said_by_the_script(self):
        self.check("import os\ndef main(): raise OSError(1, 'x')", None)
        self.check("def main(): raise PermissionError", None)
        gai = "import socket\ndef main(): raise socket.gaierror(-2, 'x')"
        self.check(gai, advice.NETWORK)

    def test_no_room_for_callbacks(self):
        # What libffi says where no memory can be executable.
        script = "from ctypes import CFUNCTYPE\nkind = CFUNCTYPE(None)\ndef main():\n    {}"
        self.check(script.format("kind(print); raise MemoryError"), advice.EXECUTABLE)
        shortage = script.format("raise MemoryError")
        self.assertIsNone(self.hint(shortage, kind="memory_limit"))


class Hostile(unittest.TestCase):
    def test_a_lie_is_an_answer_like_any_other(self):
        for body in (
            "errno = property(lambda self: 1 / 0)",
            "filename = property(lambda self: 1 / 0)",
            "__cause__ = property(lambda self: 1 / 0)",
            "__class__ = property(lambda self: 1 / 0)",
            "def __getattribute__(self, name): raise BaseException",
            "def __str__(self): raise SystemExit",
        ):
            script = f"class Evil(OSError):\n    {body}\ndef main():\n    raise Evil(2, 'x', '/y')"
            for cold in (False, True):
                with self.subTest(body, cold=cold):
                    error = run(script, cold=cold).error
                    self.assertEqual((error["type"], error["line"]), ("exception", 4))

    def test_chains_without_end(self):
        script = (
            "def main():\n    first, second = OSError('a'), OSError('b')\n"
            "    first.__cause__, second.__cause__ = second, first\n    raise first"
        )
        self.assertEqual(run(script).error["message"], "OSError: a")

    def test_long_names_are_cut(self):
        error = run("raise ModuleNotFoundError(name='x' * 10_000_000)").error
        self.assertLess(len(error["hint"]), 500)

    def test_what_the_runner_needs_is_gone(self):
        for sabotage in (
            "import sys; sys.modules.clear()",
            "import linecache; linecache.getline = None",
            "import os; os.path.isdir = None",
            "import builtins; vars(builtins).clear()",
        ):
            for cold in (False, True):
                with self.subTest(sabotage, cold=cold):
                    script = f"def main():\n    {sabotage}\n    return [].x"
                    error = run(script, cold=cold).error
                    self.assertEqual((error["type"], error["line"]), ("exception", 3))


if __name__ == "__main__":
    unittest.main()
