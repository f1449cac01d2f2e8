"""Error documents: type, message, line, traceback."""

import re
import sys
import unittest

from harness import run


class Syntax(unittest.TestCase):
    def test_position(self):
        answer = run("def main():\n    return 1 +* 2\n")
        error = answer.error
        self.assertEqual(error["type"], "syntax_error")
        self.assertEqual(error["message"], "SyntaxError: invalid syntax")
        self.assertEqual((error["line"], error["column"]), (2, 15))
        self.assertTrue(
            error["traceback"].startswith('  File "script.py", line 2\n    return 1 +* 2\n')
        )
        self.assertTrue(answer.done)

    def test_indentation(self):
        error = run("def main():\nreturn 1").error
        self.assertTrue(error["message"].startswith("IndentationError: expected an indented block"))
        self.assertEqual(error["line"], 2)

    def test_what_the_compiler_cannot_take(self):
        for source in (
            "x = 1\ny = '\0'\n",
            "x = '\ud800'",
            "(" * 5000 + ")" * 5000,
            "-" * 100_000 + "1",
        ):
            with self.subTest(source[:20]):
                # A real server sends valid UTF-8 only: the surrogate goes in as an escape.
                error = _run_raw(source).error
                self.assertEqual(error["type"], "syntax_error")
                self.assertNotRegex(error["message"], r": $")
        self.assertEqual(_run_raw("x = 1\ny = '\0'\n").error["line"], 2)

    def test_at_run_time_it_is_an_exception(self):
        for source in (
            "def main():\n    exec('1 +')",
            "def main():\n    compile('(', 'x', 'eval')",
        ):
            error = run(source).error
            self.assertEqual((error["type"], error["line"]), ("exception", 2))
            self.assertTrue(error["message"].startswith("SyntaxError: "))

    def test_in_a_helper_module_it_is_an_exception(self):
        files = [{"path": "helper.py", "text": "a = 1\nb = (\n"}]
        error = run("import helper\ndef main(): pass", files=files).error
        self.assertEqual((error["type"], error["line"]), ("exception", 1))
        self.assertIn('File "helper.py", line 2', error["traceback"])


def _run_raw(source):
    """As run, with the source escaped to ASCII so that any string can travel."""
    import harness

    original = harness.document
    harness.document = lambda script, **fields: original("@", **fields).replace(
        b'"@"', harness.json.dumps(script).encode()
    )
    try:
        return run(source)
    finally:
        harness.document = original


class Exceptions(unittest.TestCase):
    def test_document(self):
        error = run("def f():\n    return 1 / 0\n\ndef main():\n    return f()\n").error
        expected = (
            "Traceback (most recent call last):\n"
            '  File "script.py", line 5, in main\n    return f()\n'
            '  File "script.py", line 2, in f\n    return 1 / 0\n'
            "ZeroDivisionError: division by zero\n"
        )
        carets = r"(?m)^ *[~^]+\n"  # newer Pythons point at the expression
        self.assertEqual(re.sub(carets, "", error["traceback"]), expected)
        del error["traceback"]
        message = "ZeroDivisionError: division by zero"
        self.assertEqual(error, {"type": "exception", "message": message, "line": 2})

    def test_in_the_module_body(self):
        for cold in (False, True):
            error = run("x = 1\nraise KeyError('k')", cold=cold).error
            self.assertEqual((error["message"], error["line"]), ("KeyError: 'k'", 2))
            self.assertIn('File "script.py", line 2, in <module>', error["traceback"])

    def test_library_frames_have_no_host_path(self):
        error = run("import json\ndef main():\n    return json.loads('{')").error
        self.assertEqual(error["line"], 3)
        self.assertRegex(error["traceback"], r'File "json/__init__.py", line \d+, in loads')
        self.assertNotIn(sys.prefix, error["traceback"])
        self.assertTrue(error["message"].startswith("json.decoder.JSONDecodeError: Expecting"))

    def test_import_error_has_no_host_path(self):
        error = run("from json import nothing").error
        self.assertIn(
            "cannot import name 'nothing' from 'json' (json/__init__.py)", error["message"]
        )
        self.assertIn(error["message"], error["traceback"])

    def test_chained(self):
        script = "def main():\n    try:\n        1 / 0\n    except Exception as e:\n        raise ValueError('v') from e"
        error = run(script).error
        self.assertEqual(error["line"], 5)
        self.assertIn("direct cause of the following exception", error["traceback"])
        self.assertEqual(error["traceback"].count("cellblock"), 0)

    @unittest.skipIf(sys.version_info < (3, 11), "exception groups came with Python 3.11")
    def test_groups(self):
        script = "def main():\n    raise ExceptionGroup('g', [ValueError(1), KeyError(2)])"
        error = run(script).error
        self.assertEqual(error["message"], "ExceptionGroup: g (2 sub-exceptions)")
        self.assertIn("| ValueError: 1\n", error["traceback"])

    def test_own_exception_class(self):
        error = run("class Oops(Exception): pass\ndef main(): raise Oops('x')").error
        self.assertEqual(error["message"], "script.Oops: x")

    def test_base_exceptions(self):
        for name in ("KeyboardInterrupt", "GeneratorExit", "BaseException"):
            error = run(f"def main(): raise {name}").error
            self.assertEqual((error["type"], error["message"]), ("exception", name))

    def test_recursion(self):
        error = run("def main():\n    return main()").error
        self.assertEqual((error["type"], error["line"]), ("exception", 2))
        self.assertIn("RecursionError: maximum recursion depth exceeded", error["message"])
        self.assertIn("[Previous line repeated", error["traceback"])

    def test_very_deep_recursion(self):
        script = (
            "import sys\nsys.setrecursionlimit(20_000)\n"
            "def f(n): return 1 / 0 if not n else g(n - 1)\n"
            "def g(n): return 1 / 0 if not n else f(n - 1)\n"
            "def main(): f(9000)"
        )
        error = run(script).error
        self.assertEqual(error["message"], "ZeroDivisionError: division by zero")
        self.assertLessEqual(len(error["traceback"].encode()), 64 << 10)

    def test_memory(self):
        for source in ("raise MemoryError", "return bytes(1 << 62)"):
            error = run(f"def main(): {source}").error
            self.assertEqual((error["type"], error["line"]), ("memory_limit", 1))

    def test_memory_under_an_address_space_limit(self):
        script = (
            "import resource\n"
            "def main():\n"
            "    used = int(open('/proc/self/statm').read().split()[0]) * 4096\n"
            "    resource.setrlimit(resource.RLIMIT_AS, (used + (8 << 20),) * 2)\n"
            "    kept = []\n"
            "    while True: kept.append('x' * 50_000 + str(len(kept)))\n"
        )
        error = run(script).error
        self.assertEqual((error["type"], error["line"]), ("memory_limit", 6))

    def test_long_message_keeps_both_ends(self):
        error = run("def main(): raise ValueError('head' + 'x' * 10_000_000 + 'tail')").error
        self.assertLessEqual(len(error["message"].encode()), 8 << 10)
        self.assertTrue(error["message"].startswith("ValueError: head"))
        self.assertTrue(error["message"].endswith("tail"))
        self.assertLessEqual(len(error["traceback"].encode()), 64 << 10)

    def test_surrogates_in_the_message(self):
        error = run("def main(): raise ValueError('\\ud800')").error
        self.assertEqual(error["message"], "ValueError: \\ud800")

    def test_hostile_exceptions(self):
        for body in (
            "def __str__(self): 1 / 0",
            "def __str__(self): return str(self)",
            "def __str__(self): raise SystemExit(3)",
            "def __str__(self): return 5",
            "__cause__ = property(lambda self: 1 / 0)",
            "__traceback__ = property(lambda self: 1 / 0)",
            "__module__ = 5",
            "__class__ = property(lambda self: 1 / 0)",
            "def __getattribute__(self, name): raise BaseException",
        ):
            with self.subTest(body):
                answer = run(
                    f"class Evil(Exception):\n    {body}\ndef main():\n    raise Evil('x')"
                )
                self.assertEqual(answer.error["type"], "exception")
                self.assertIn("Evil", answer.error["message"])
                self.assertEqual(answer.error["line"], 4)
                self.assertTrue(answer.done)

    def test_hostile_metaclass(self):
        script = (
            "class Meta(type):\n"
            "    def __getattribute__(cls, name): raise ValueError(name)\n"
            "class Evil(Exception, metaclass=Meta): pass\n"
            "def main(): raise Evil('x')"
        )
        error = run(script).error
        self.assertEqual((error["type"], error["message"]), ("exception", "script.Evil: x"))


class Exits(unittest.TestCase):
    def test_codes(self):
        for source, code, printed in (
            ("import sys\ndef main(): sys.exit()", 0, b""),
            ("import sys\ndef main(): sys.exit(3)", 3, b""),
            ("import sys\ndef main(): sys.exit(-1)", 255, b""),
            ("import sys\ndef main(): sys.exit(256)", 0, b""),
            ("import sys\ndef main(): sys.exit(True)", 1, b""),
            ("import sys\ndef main(): sys.exit(10 ** 30)", 255, b""),
            ("import sys\ndef main(): sys.exit('bye')", 1, b"bye\n"),
            ("def main(): exit(4)", 4, b""),
            ("def main(): raise SystemExit((1, 2))", 1, b"(1, 2)\n"),
            ("import sys\nasync def main(): sys.exit(5)", 5, b""),
        ):
            with self.subTest(source):
                answer = run(source)
                self.assertEqual(
                    (answer.error["type"], answer.error["exit_code"]), ("exited", code)
                )
                self.assertEqual((answer.stderr, answer.done, answer.status), (printed, True, 0))

    def test_direct(self):
        answer = run("import os\ndef main(): os._exit(7)")
        self.assertEqual((answer.frames, answer.status), ([], 7))


if __name__ == "__main__":
    unittest.main()
