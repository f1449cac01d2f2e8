"""What is done at the end of a program, once the result has been encoded."""

import gzip
import io
import unittest
import zipfile

from harness import run

_FILES = {"output_files": ["**"]}


class Endings(unittest.TestCase):
    """Each script in a fork and in a process of its own, with and without output files."""

    def check(self, script, stdout="", stderr="", result=None, files=None, **fields):
        for cold in (False, True):
            more = _FILES if files is not None else {}
            answer = run(script, cold=cold, **more, **fields)
            self.assertEqual(answer.result, result, script)
            self.assertEqual(answer.stdout.decode(), stdout, script)
            self.assertEqual(answer.stderr.decode(), stderr, script)
            if files is not None:
                found = {head["path"]: content for head, content in answer.files}
                self.assertEqual(found, files, script)

    def test_callbacks(self):
        script = (
            "import atexit, os\n"
            "value = [1]\n"
            "atexit.register(print, 'first')\n"
            "@atexit.register\n"
            "def last():\n"
            "    value.append(2)\n"
            "    os.close(os.open('a', os.O_CREAT))\n"
            "    print('last')\n"
        )
        main = "def main(): return value\n"
        self.check(script + main, "last\nfirst\n", result=[1])
        self.check(script + main, "last\nfirst\n", result=[1], files={"a": b""})
        self.check(script + "value", "last\nfirst\n", result=[1], mode="script")

    def test_finalizers(self):
        self.check(
            "import weakref\n"
            "class A: pass\n"
            "a = A()\n"
            "weakref.finalize(a, print, 'gone')\n"
            "def main(): pass\n",
            "gone\n",
        )
        self.check(
            "class A:\n"
            "    def __del__(self): print('gone', name)\n"
            "name = 5\n"
            "a = A(); a.me = a\n"
            "def main(): pass\n",
            "gone 5\n",
        )

    def test_logging(self):
        self.check(
            "import logging, logging.handlers, sys\n"
            "target = logging.StreamHandler(sys.stdout)\n"
            "logging.getLogger().addHandler(logging.handlers.MemoryHandler(100, target=target))\n"
            "def main(): logging.warning('kept')\n",
            "kept\n",
        )

    def test_open_files(self):
        for text in ("f = open('a', 'w')\nf.write('x')\n", "f = open('a', 'wb')\nf.write(b'x')\n"):
            self.check(text + "def main(): pass\n", files={"a": b"x"})
            self.check(text, result=1, files={"a": b"x"}, mode="script")
        self.check(
            "import csv\n"
            "f = open('a', 'w', newline='')\n"
            "w = csv.writer(f)\n"
            "def main(): w.writerow([1, 2])\n",
            files={"a": b"1,2\r\n"},
        )
        self.check(
            "class A: pass\n"
            "def main():\n"
            "    a = A(); a.me = a\n"
            "    a.f = open('a', 'w')\n"
            "    a.f.write('x')\n",
            files={"a": b"x"},
        )
        self.check(
            "import json\njson.kept = open('a', 'w')\ndef main(): json.kept.write('x')\n",
            files={"a": b"x"},
        )

    def test_archives(self):
        script = (
            "import gzip, zipfile\n"
            "z = zipfile.ZipFile('a.zip', 'w')\n"
            "g = gzip.open('a.gz', 'wt')\n"
            "def main():\n"
            "    z.writestr('x', 'y')\n"
            "    g.write('z')\n"
        )
        for cold in (False, True):
            files = dict((h["path"], data) for h, data in run(script, cold=cold, **_FILES).files)
            archive = zipfile.ZipFile(io.BytesIO(files["a.zip"]))
            self.assertEqual(archive.read("x"), b"y")
            self.assertEqual(gzip.decompress(files["a.gz"]), b"z")

    def test_after_an_error_and_an_exit(self):
        for end, kind in (("1 / 0", "exception"), ("raise SystemExit(3)", "exited")):
            script = (
                "import atexit\n"
                "atexit.register(print, 'end')\n"
                "def main():\n"
                "    f = open('a', 'w')\n"
                "    f.write('x')\n"
                f"    {end}\n"
            )
            for cold in (False, True):
                answer = run(script, cold=cold, **_FILES)
                self.assertEqual(answer.error["type"], kind)
                self.assertEqual(answer.stdout, b"end\n")
                self.assertEqual([data for _, data in answer.files], [b"x"])

    def test_errors_at_the_end_change_nothing(self):
        for end in ("1 / 0", "raise SystemExit(3)", "raise KeyboardInterrupt"):
            script = f"import atexit\n@atexit.register\ndef end():\n    {end}\ndef main(): return 1"
            for cold in (False, True):
                answer = run(script, cold=cold)
                self.assertEqual(answer.result, 1)
                self.assertIn(b'File "script.py", line 4, in end', answer.stderr)
                self.assertNotIn(b"cellblock", answer.stderr)

    def test_hostile_ends(self):
        for script in (
            "import sys\ndef end(): sys.settrace(lambda *a: 1 / 0)",
            "import signal, os\n"
            "def end():\n"
            "    signal.signal(signal.SIGALRM, lambda *a: 1 / 0)\n"
            "    signal.setitimer(signal.ITIMER_REAL, 1e-4, 1e-4)\n",
            "import builtins\ndef end():\n    builtins.len = builtins.list = None",
            "import sys\ndef end(): sys.modules.clear()",
            "import atexit\ndef end(): atexit.register(end) if len(seen) < 3 else 0; seen.append(1)\nseen = []",
            "import os\ndef end(): os.fork()",
            "import os\ndef end(): os.closerange(3, 900)",
        ):
            script += "\nimport atexit\natexit.register(end)\ndef main(): return 1\n"
            for cold in (False, True):
                answer = run(script, cold=cold)
                self.assertEqual(answer.result, 1, script)
                self.assertEqual((answer.junk, answer.done), (0, True), script)

    def test_nobody_is_waited_for(self):
        script = (
            "import atexit, concurrent.futures, threading, time\n"
            "atexit.register(print, 'end')\n"
            "threading.Thread(target=time.sleep, args=(60,)).start()\n"
            "pool = concurrent.futures.ThreadPoolExecutor()\n"
            "pool.submit(time.sleep, 60)\n"
            "f = open('a', 'w')\n"
            "def main(): f.write('x')\n"
        )
        for cold in (False, True):
            answer = run(script, cold=cold, **_FILES)
            self.assertEqual((answer.result, answer.stdout, answer.stderr), (None, b"end\n", b""))
            self.assertEqual([data for _, data in answer.files], [b"x"])
            self.assertLess(answer.seconds, 20)

    def test_a_forked_child_ends_as_a_program(self):
        script = (
            "import atexit, os\n"
            "f = open('a', 'w')\n"
            "def main():\n"
            "    child = os.fork()\n"
            "    if child:\n"
            "        os.waitpid(child, 0)\n"
            "    else:\n"
            "        f.write('x')\n"
            "    return child == 0\n"
        )
        self.check(script, result=False, files={"a": b"x"})

    def test_an_exit_within_the_end_is_no_answer(self):
        script = "import atexit, os\natexit.register(os._exit, 3)\ndef main(): return 1"
        for cold in (False, True):
            answer = run(script, cold=cold)
            self.assertEqual((answer.frames, answer.status), ([], 3))


if __name__ == "__main__":
    unittest.main()
