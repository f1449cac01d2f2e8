"""How a script is run: module, main(), input, environment."""

import unittest

from harness import DONE, ERROR, RESULT, run


class Frames(unittest.TestCase):
    """The exact packets of the simplest answers."""

    def test_result(self):
        for cold in (False, True):
            answer = run("def main():\n    return {'b': 1, 'a': [True, None]}", cold=cold)
            self.assertEqual(answer.frames, [(RESULT, b'{"b":1,"a":[true,null]}'), (DONE, b"")])
            self.assertEqual((answer.stdout, answer.stderr, answer.status), (b"", b"", 0))

    def test_error(self):
        answer = run("x = 1\n")
        text = b'{"type":"missing_main","message":"the script defines no main() function"}'
        self.assertEqual(answer.frames, [(ERROR, text), (DONE, b"")])
        self.assertEqual(answer.status, 0)

    def test_long_job_and_long_result_are_split(self):
        text = "é" * 200_000
        for cold in (False, True):
            answer = run("def main(x): return x", cold=cold, input=text)
            self.assertEqual(answer.result, text)
            self.assertEqual([kind for kind, _ in answer.frames], [RESULT] * 7 + [DONE])

    def test_server_gone_before_the_job(self):
        answer = run("", hook=lambda pid, server: server.shutdown(2))
        self.assertEqual((answer.frames, answer.status), ([], 1))

    def test_bad_first_packet(self):
        answer = run("", hook=lambda pid, server: server.send(b"short"))
        self.assertEqual((answer.frames, answer.status), ([], 1))

    def test_junk_on_the_channel_is_no_answer(self):
        script = "import os\ndef main():\n    os.write(1000, b'x' * 30)\n    return 2"
        answer = run(script)
        self.assertEqual(answer.frames, [(RESULT, b"2"), (DONE, b"")])
        self.assertEqual(answer.junk, 1)


class Module(unittest.TestCase):
    def test_identity(self):
        script = (
            "import sys, linecache\n"
            "def main():\n"
            "    linecache.checkcache()\n"
            "    return [__name__, __file__, sys.modules['script'] is sys.modules[main.__module__],\n"
            "            sys.argv, linecache.getline('script.py', 2), repr(sys.modules['script'])]\n"
        )
        expected = [
            "script",
            "script.py",
            True,
            ["script.py"],
            "def main():\n",
            "<module 'script' from 'script.py'>",
        ]
        for cold in (False, True):
            self.assertEqual(run(script, cold=cold).result, expected)

    def test_name_guard_does_not_run(self):
        self.assertEqual(run("def main(): return 1\nif __name__ == '__main__': 1/0").result, 1)

    def test_standard_library_accepts_the_module(self):
        script = (
            "from __future__ import annotations\n"
            "import dataclasses, enum, inspect, pickle, typing\n"
            "@dataclasses.dataclass\n"
            "class Point:\n"
            "    x: int\n"
            "    y: typing.Optional[Point] = None\n"
            "class Color(enum.Enum):\n"
            "    RED = 1\n"
            "def main():\n"
            "    assert pickle.loads(pickle.dumps(Point(1))) == Point(1)\n"
            "    assert pickle.loads(pickle.dumps(Color.RED)) is Color.RED\n"
            "    assert typing.get_type_hints(Point)['y'] == typing.Optional[Point]\n"
            "    return [inspect.getsource(main)[:11], inspect.getsource(Point)[:10]]\n"
        )
        for cold in (False, True):
            self.assertEqual(run(script, cold=cold).result, ["def main():", "@dataclass"])

    def test_future_flags_of_the_runner_are_not_inherited(self):
        self.assertIs(
            run("def main(x: int = 1): return main.__annotations__['x'] is int").result, True
        )

    def test_builtins_are_the_public_ones(self):
        script = (
            "import builtins\nbuiltins.answer = 42\ndef main(): return [answer, eval('answer')]"
        )
        self.assertEqual(run(script).result, [42, 42])

    def test_byte_order_mark_and_line_ends(self):
        answer = run("\ufeffdef main():\r\n    x = 1\r\n    return x / 0\r\n")
        self.assertEqual(answer.error["line"], 3)
        self.assertIn("    return x / 0\n", answer.error["traceback"])

    def test_form_feed_does_not_shift_lines(self):
        answer = run("a = 1\x0c\nb = '\u2028'\ndef main():\n    raise ValueError(b)\n")
        self.assertEqual(answer.error["line"], 4)
        self.assertIn("    raise ValueError(b)\n", answer.error["traceback"])

    def test_exit_exists_without_site(self):
        answer = run("def main(): exit(3)", cold=True, python_args=("-S",))
        self.assertEqual((answer.error["type"], answer.error["exit_code"]), ("exited", 3))

    def test_working_directory(self):
        script = "import os, sys\ndef main(): return [os.listdir('.'), sys.path[0] == os.getcwd()]"
        self.assertEqual(run(script).result, [[], True])


class Main(unittest.TestCase):
    def result(self, script, **fields):
        return run(script, input={"n": 7}, **fields).result

    def test_with_input(self):
        for signature in ("x", "x=None", "*x", "x, /", "x, y=2", "x=1, *, k=2", "*a, **k"):
            with self.subTest(signature):
                got = self.result(f"def main({signature}): return x if 'x' in locals() else a[0]")
                self.assertEqual(got if isinstance(got, dict) else got[0], {"n": 7})

    def test_without_input(self):
        for signature in ("", "*, k=1", "**k"):
            with self.subTest(signature):
                self.assertEqual(self.result(f"def main({signature}): return 'called'"), "called")

    def test_kinds_of_callables(self):
        for source, expected in (
            ("class M:\n def __call__(self, x): return x\nmain = M()", {"n": 7}),
            ("class M:\n def m(self): return 5\nmain = M().m", 5),
            (
                "import functools\ndef f(a, b): return [a, b]\nmain = functools.partial(f, 1)",
                [1, {"n": 7}],
            ),
            ("main = lambda: 5", 5),
            ("main = len", 1),
            ("import functools\n@functools.lru_cache\ndef main(): return 5", 5),
            ("import functools\n@functools.cache\ndef main(): return 5\n", 5),
        ):
            with self.subTest(source):
                self.assertEqual(self.result(source), expected)

    def test_decorated(self):
        decorator = (
            "import functools\n"
            "def through(f):\n    @functools.wraps(f)\n    def w(*a, **k): return f(*a, **k)\n    return w\n"
            "def given(f):\n    @functools.wraps(f)\n    def w(): return f(42)\n    return w\n"
        )
        for source, expected in (
            ("@through\ndef main(): return 5", 5),
            ("@through\ndef main(x): return x", {"n": 7}),
            ("@through\n@through\ndef main(): return 5", 5),
            ("@given\ndef main(x): return x", 42),
        ):
            with self.subTest(source):
                self.assertEqual(self.result(decorator + source), expected)

    def test_missing(self):
        for source, part in (
            ("", "defines no main()"),
            ("main = 3", "not callable"),
            ("def main(a, b): pass", "main(a, b) requires a, b; send"),
            ("def main(*, key): pass", "main(*, key) requires key; send"),
            ("class M:\n def m(self, a, b): pass\nmain = M().m", "main(a, b) requires a, b; send"),
        ):
            with self.subTest(source):
                error = run(source).error
                self.assertEqual(error["type"], "missing_main")
                self.assertIn(part, error["message"])

    def test_async(self):
        for source, expected in (
            (
                "import asyncio\nasync def main(x):\n    await asyncio.sleep(0)\n    return x",
                {"n": 7},
            ),
            ("async def f(): return 5\ndef main(): return f()", 5),
            (
                "class A:\n def __await__(self):\n  yield from ()\n  return 5\ndef main(): return A()",
                5,
            ),
        ):
            with self.subTest(source):
                self.assertEqual(self.result(source), expected)
        self.assertEqual(self.result("async def main(): return 1", cold=True), 1)

    def test_async_error(self):
        error = run(
            "import asyncio\nasync def main():\n    await asyncio.sleep(0)\n    1 / 0"
        ).error
        self.assertEqual(
            (error["message"], error["line"]), ("ZeroDivisionError: division by zero", 4)
        )
        self.assertNotIn("asyncio", error["traceback"])

    def test_async_does_not_wait_for_executor_threads(self):
        script = (
            "import asyncio, time\n"
            "async def main():\n"
            "    asyncio.get_running_loop().run_in_executor(None, time.sleep, 30)\n"
            "    return 1\n"
        )
        answer = run(script)
        self.assertEqual(answer.result, 1)
        self.assertLess(answer.seconds, 5)

    def test_threads_are_not_awaited(self):
        script = "import threading, time\ndef main():\n    threading.Thread(target=time.sleep, args=(30,)).start()\n    return 1"
        answer = run(script)
        self.assertEqual((answer.result, answer.status), (1, 0))
        self.assertLess(answer.seconds, 5)

    def test_a_forked_child_that_returns_answers_nothing(self):
        script = "import os\ndef main():\n    os.fork()\n    return 1"
        answer = run(script)
        self.assertEqual(answer.frames, [(RESULT, b"1"), (DONE, b"")])

    def test_a_forked_child_that_fails_prints_as_python_does(self):
        script = "import os\ndef main():\n    pid = os.fork()\n    if not pid: 1 / 0\n    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])"
        answer = run(script)
        self.assertEqual(answer.result, 1)
        self.assertIn(b"ZeroDivisionError: division by zero\n", answer.stderr)


class Environment(unittest.TestCase):
    def test_variables(self):
        script = (
            "import os, time\ndef main(): return [os.environ['A'], os.getenv('B'), time.tzname[0]]"
        )
        self.assertEqual(
            run(script, env={"A": "é", "B": "", "TZ": "XYZ3"}).result, ["é", "", "XYZ"]
        )

    def test_big_integers_come_in(self):
        self.assertEqual(run("def main(x): return x == 10 ** 5000", input=10**30).result, False)

    def test_digit_limit_stays_for_the_script(self):
        script = "import sys\ndef main():\n    return getattr(sys, 'get_int_max_str_digits', lambda: 4300)()"
        self.assertEqual(run(script).result, 4300)


if __name__ == "__main__":
    unittest.main()
