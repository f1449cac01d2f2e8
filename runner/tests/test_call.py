"""How main() is called, and how a script runs as a program."""

import unittest

from harness import run


class Calls(unittest.TestCase):
    def check(self, script, expected, **fields):
        for cold in (False, True):
            self.assertEqual(run(script, cold=cold, **fields).result, expected, script)

    def refused(self, script, message, **fields):
        for cold in (False, True):
            error = run(script, cold=cold, **fields).error
            self.assertEqual(error, {"type": "missing_main", "message": message}, script)

    def test_without_an_input(self):
        self.check("def main(n=3): return n", 3)
        self.check("def main(x): return [x]", [None])
        self.check("def main(x, n=3): return [x, n]", [None, 3])
        self.check("def main(*x): return x", [])
        self.check("async def main(n=3): return n", 3)
        self.check(
            "import functools\n"
            "def through(f):\n"
            "    @functools.wraps(f)\n"
            "    def inner(*args, **more): return f(*args, **more)\n"
            "    return inner\n"
            "@through\n"
            "def main(x): return [x]\n",
            [None],
        )

    def test_null_is_an_input(self):
        self.check("def main(n=3): return n", None, input=None)

    def test_an_object_is_spread(self):
        script = "def main(a, b, c=3): return [a, b, c]"
        self.check(script, [1, 2, 3], input={"b": 2, "a": 1})
        self.check(script, [1, 2, 4], input={"b": 2, "a": 1, "c": 4})
        self.check("def main(*, key): return key", 1, input={"key": 1})
        self.check("def main(a, *, key): return [a, key]", [1, 2], input={"key": 2, "a": 1})
        self.check("def main(a, b=2): return a", {"b": 1}, input={"b": 1})
        self.refused(
            script,
            "the input does not fit main(a, b, c=3): missing a required argument: 'b'",
            input={"a": 1},
        )
        self.refused(
            script,
            "main(a, b, c=3) requires a, b; "
            "send an object with these names as arguments or as input",
            input=[1, 2],
        )

    def test_arguments(self):
        script = "def main(a: int, b: int = 2): return [a, b]"
        self.check(script, [1, 2], arguments={"a": 1})
        self.check(script, [1, 3], arguments={"b": 3, "a": 1})
        self.check("def main(): return 1", 1, arguments={})
        self.check("def main(**k): return k", {"z": 1, "a": 2}, arguments={"z": 1, "a": 2})
        self.check("async def main(*, k): return k", 1, arguments={"k": 1})
        self.check("class M:\n def m(self, a): return a\nmain = M().m", 5, arguments={"a": 5})
        self.check("main = dict", {"a": 1}, arguments={"a": 1})
        does_not_fit = "the arguments do not fit main(a: int, b: int = 2): "
        missing = does_not_fit + "missing a required argument: 'a'"
        self.refused(script, missing, arguments={"b": 1})
        unknown = does_not_fit + "got an unexpected keyword argument 'c'"
        self.refused(script, unknown, arguments={"a": 1, "c": 1})

    def test_arguments_of_a_hostile_main(self):
        script = (
            "class D:\n    def __repr__(self): raise ValueError\ndef main(a, b=D()): return a\n"
        )
        message = "the arguments do not fit main(): missing a required argument: 'a'"
        self.refused(script, message, arguments={})

    def test_a_type_error_in_main_is_no_missing_main(self):
        error = run("def main(a): return a()", arguments={"a": 1}).error
        self.assertEqual((error["type"], error["line"]), ("exception", 1))


class Programs(unittest.TestCase):
    def result(self, script, **fields):
        results = [run(script, cold=cold, mode="script", **fields).result for cold in (False, True)]
        self.assertEqual(results[0], results[1])
        return results[0]

    def test_the_last_expression_is_the_result(self):
        self.assertEqual(self.result("x = 2\nx + 1"), 3)
        self.assertEqual(self.result("x = 2; [x]"), [2])
        self.assertIsNone(self.result("x = 2"))
        self.assertIsNone(self.result("# nothing"))
        self.assertIsNone(self.result("if 1:\n    5"))

    def test_what_is_not_json_is_null(self):
        for value in ("{1, 2}", "object()", "float('nan')", "print", "[b'']", "{1: 0, '1': 0}"):
            self.assertIsNone(self.result(value))

    def test_it_is_main(self):
        script = (
            "import sys, __main__, script\n"
            "if __name__ == '__main__':\n"
            "    x = 5\n"
            "def main(): 1 / 0\n"
            "[x, __name__, __main__ is script, vars(script) is globals(), __file__, sys.argv]\n"
        )
        expected = [5, "__main__", True, True, "script.py", ["script.py"]]
        self.assertEqual(self.result(script), expected)

    def test_names_of_the_future_hold(self):
        script = "from __future__ import annotations\ndef f(x: y): pass\nf.__annotations__"
        self.assertEqual(self.result(script), {"x": "y"})

    def test_errors(self):
        for script, kind, line in (
            ("x = 1\n1 / 0", "exception", 2),
            ("def f():\n    1 / 0\nf()", "exception", 2),
            ("x = (", "syntax_error", 1),
            ("return 5", "syntax_error", 1),
            ("import sys\nsys.exit(3)", "exited", 2),
        ):
            for cold in (False, True):
                error = run(script, cold=cold, mode="script").error
                self.assertEqual((error["type"], error["line"]), (kind, line), script)
                self.assertNotIn("cellblock", str(error))

    def test_the_runners_builtins_stay_its_own(self):
        script = "del __builtins__\nlen.__self__.__dict__ is __builtins__.__dict__"
        self.assertIs(self.result(script), True)

    def test_too_large(self):
        limits = {"result_bytes": 10}
        error = run("'x' * 20", mode="script", limits=limits).error
        self.assertEqual(error["type"], "result_too_large")


if __name__ == "__main__":
    unittest.main()
