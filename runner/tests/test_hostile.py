"""Scripts that break what the runner stands on: their answer comes out all the same."""

import sys
import unittest

from harness import DONE, RESULT, run

RESULT_OF_ONE = [(RESULT, b'{"ok":[1,"\xc3\xa9"]}'), (DONE, b"")]
RETURN = "    return {'ok': [1, 'é']}\n"


class Monkeypatches(unittest.TestCase):
    SABOTAGE = (
        "os.write = os.read = os._exit = os.getpid = os.open = os.close = None",
        "json.dumps = json.loads = json.JSONEncoder = json.encoder.c_make_encoder = None",
        "builtins.len = builtins.type = builtins.isinstance = builtins.str = builtins.range = None",
        "vars(builtins).clear()",
        "builtins.__import__ = None",
        "sys.modules.clear()",
        "sys.modules = {}",
        "[sys.modules.__setitem__(name, None) for name in list(sys.modules)]",
        "del sys.modules['os'], sys.modules['sys'], sys.modules['builtins']",
        "sys.settrace = sys.setprofile = sys.setrecursionlimit = None",
        "[vars(sys).pop(name) for name in list(vars(sys)) if name != 'modules']",
        "sys.setrecursionlimit(40)",
        "sys.settrace(lambda *a: 1 / 0)",
        "sys.setprofile(lambda *a: 1 / 0)",
        "sys.settrace(lambda *a: sys.exit(3))",
        "gc.disable(); gc.set_threshold(1)",
        "gc.callbacks.append(lambda *a: 1 / 0)",
        "os.closerange(0, 256)",
        "sys.stdout = sys.stderr = sys.stdin = None",
        "del sys.stdout, sys.stderr, sys.__stdout__",
        "sys.stdout = type('S', (), {'flush': lambda self: sys.exit(3)})()",
        "sys.stdout.close(); sys.stderr.close()",
        "signal.signal(signal.SIGALRM, lambda *a: 1 / 0); signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)",
        "signal.signal(signal.SIGUSR1, lambda *a: 1 / 0); threading.Timer(0, os.kill, (os.getpid(), 10)).start()",
        "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))",
        "[signal.signal(s, lambda *a: 1 / 0) for s in range(1, 32) if s not in (9, 19)]",
        "sys.addaudithook(lambda *a: 1 / 0)",
        "sys.excepthook = sys.unraisablehook = sys.displayhook = None",
        "sys.path.clear(); sys.meta_path.clear(); sys.path_hooks.clear()",
        "os.environ.clear(); os.chdir('/')",
        "sys.setswitchinterval(100)",
        "os.set_blocking(1000, False)",
        "os.write(1000, b'\\x11' * 100); os.write(1000, b'')",
        "warnings.simplefilter('error'); warnings.warn = None",
        "linecache.cache = None; traceback.TracebackException = None; linecache.checkcache = None",
        "linecache.clearcache()",
        "threading.Thread(target=lambda: [None for _ in iter(int, 1)], daemon=True).start()",
        "gc.collect(); [setattr(m, '__builtins__', {}) for m in list(sys.modules.values()) if 'runner' not in repr(m)]",
        "asyncio.run = asyncio.new_event_loop = None",
    )
    IMPORTS = "import asyncio, builtins, gc, json, linecache, os, signal, sys, threading, traceback, warnings\n"

    def script(self, sabotage, end):
        return f"{self.IMPORTS}def main():\n    {sabotage}\n{end}"

    def test_result_survives(self):
        for sabotage in self.SABOTAGE:
            for cold in (False, True):
                with self.subTest(sabotage, cold=cold):
                    answer = run(self.script(sabotage, RETURN), cold=cold)
                    if answer.error is not None:  # it hit main() itself before it could return
                        self.assertRegex(answer.error["message"], "ZeroDivision|code 3")
                        self.assertRegex(sabotage, r"lambda \*a|setprofile|settrace")
                        self.assertTrue(answer.done)
                    else:
                        self.assertEqual(answer.frames, RESULT_OF_ONE)
                    self.assertEqual(answer.status, 0)

    def test_error_survives(self):
        for sabotage in self.SABOTAGE:
            for cold in (False, True):
                with self.subTest(sabotage, cold=cold):
                    answer = run(self.script(sabotage, "    1 // 0\n"), cold=cold)
                    self.assertIn(answer.error["type"], ("exception", "exited"))
                    if answer.error["type"] == "exception":
                        self.assertIn("ZeroDivisionError: ", answer.error["message"])
                    if "audithook" not in sabotage:  # which stops us from reading frames
                        self.assertIn(answer.error["line"], (3, 4))
                    if answer.error["type"] == "exception" and "audithook" not in sabotage:
                        self.assertIn('File "script.py", line', answer.error["traceback"])
                    self.assertEqual((answer.done, answer.status), (True, 0))

    @unittest.skipIf(sys.version_info < (3, 12), "sys.monitoring came with Python 3.12")
    def test_monitoring(self):
        sabotage = (
            "m = sys.monitoring; m.use_tool_id(2, 'x'); m.set_events(2, m.events.PY_START | m.events.CALL); "
            "m.register_callback(2, m.events.PY_START, lambda *a: 1 / 0)"
        )
        answer = run(self.script(sabotage, RETURN))
        self.assertEqual(answer.frames, RESULT_OF_ONE)

    def test_output_files_survive(self):
        for sabotage in self.SABOTAGE:
            with self.subTest(sabotage):
                script = self.script("open('out', 'w').write('1')\n    " + sabotage, RETURN)
                answer = run(script, output_files=["*"])
                self.assertEqual((answer.done, answer.status), (True, 0))
                if "audithook" not in sabotage:
                    self.assertEqual([data for _, data in answer.files], [b"1"])

    def test_restricted_imports_still_answer(self):
        for sabotage in ("vars(builtins).clear()", "sys.modules.clear()", "sys._getframe = None"):
            answer = run(self.script(sabotage, RETURN), restricted={"socket": None})
            self.assertEqual(answer.frames, RESULT_OF_ONE)


class Attacks(unittest.TestCase):
    def test_channel_closed_by_the_script(self):
        answer = run("import os\ndef main():\n    os.close(1000)\n    return 1")
        self.assertEqual((answer.frames, answer.status), ([], 1))

    def test_trace_function_only_for_the_runner(self):
        script = (
            "import sys\n"
            "def t(frame, event, arg):\n"
            "    if 'script' not in frame.f_code.co_filename: raise SystemExit(5)\n"
            "def main():\n    sys.settrace(t)\n    return 1\n"
        )
        self.assertEqual(run(script).frames, [(RESULT, b"1"), (DONE, b"")])

    def test_tracing_the_runners_frames(self):
        script = (
            "import sys\n"
            "def t(frame, event, arg): raise SystemExit(5)\n"
            "def main():\n"
            "    sys.settrace(lambda *a: None)\n"
            "    f = sys._getframe().f_back\n"
            "    while f:\n        f.f_trace = t; f.f_trace_opcodes = True; f = f.f_back\n"
            "    return 1\n"
        )
        answer = run(script)
        self.assertTrue(answer.done)
        self.assertEqual(answer.status, 0)

    def test_busy_threads_do_not_hold_up_a_long_answer(self):
        script = (
            "import threading\n"
            "def spin():\n    while True: pass\n"
            "def main():\n"
            "    for _ in range(4): threading.Thread(target=spin).start()\n"
            "    return 'x' * 2_000_000\n"
        )
        answer = run(script)
        self.assertEqual(len(answer.text), 2_000_002)
        self.assertLess(answer.seconds, 5)

    def test_async_exceptions_from_a_thread(self):
        script = (
            "import ctypes, threading, time\n"
            "me = threading.get_ident()\n"
            "def nag():\n"
            "    for _ in range(20):\n"
            "        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(me), ctypes.py_object(KeyError))\n"
            "        time.sleep(0.0005)\n"
            "def main():\n    threading.Thread(target=nag).start()\n    return 1\n"
        )
        answer = run(script)
        self.assertIn(answer.status, (0, 70))

    def test_result_that_changes_while_it_is_encoded(self):
        script = (
            "import threading\n"
            "data = {str(i): [i] for i in range(1000)}\n"
            "def churn():\n"
            "    i = 0\n"
            "    while True:\n        i += 1; data[str(i)] = [i]; data.pop(str(i - 500), None)\n"
            "def main():\n    threading.Thread(target=churn).start()\n    return [data] * 50\n"
        )
        answer = run(script)
        self.assertTrue(answer.done)
        if answer.error is not None:
            self.assertEqual(answer.error["type"], "result_not_json")


if __name__ == "__main__":
    unittest.main()
