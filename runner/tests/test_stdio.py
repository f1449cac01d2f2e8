"""What is printed and what is read."""

import unittest

from harness import run


class Output(unittest.TestCase):
    def test_order_between_layers(self):
        script = (
            "import os, sys\n"
            "def main():\n"
            "    print('a', end='')\n"
            "    os.write(1, b'b')\n"
            "    sys.stdout.write('c')\n"
            "    sys.stdout.buffer.write(b'd')\n"
            "    os.write(1, b'e')\n"
            "    print('f', file=sys.__stdout__)\n"
            "    print('g', file=sys.stderr, end='')\n"
            "    os.write(2, b'h')\n"
        )
        answer = run(script)
        self.assertEqual((answer.text, answer.stdout, answer.stderr), ("null", b"abcdef\n", b"gh"))

    def test_nothing_is_translated(self):
        self.assertEqual(run("def main(): print('a\\r\\nb\\rc', end='\\n')").stdout, b"a\r\nb\rc\n")

    def test_lone_surrogates_print(self):
        answer = run("import sys\ndef main(): print('\\ud800'); print('\\udcff', file=sys.stderr)")
        self.assertEqual((answer.stdout, answer.stderr), (b"\\ud800\n", b"\\udcff\n"))

    def test_large_output_and_odd_buffers(self):
        script = (
            "import sys, array\n"
            "def main():\n"
            "    print('x' * 1_000_000)\n"
            "    return sys.stdout.buffer.write(array.array('i', [1, 2]))\n"
        )
        answer = run(script)
        self.assertEqual((answer.text, len(answer.stdout)), ("8", 1_000_001 + 8))

    def test_writes_cut_short_by_signals_are_completed(self):
        script = (
            "import signal\n"
            "def main():\n"
            "    signal.signal(signal.SIGALRM, lambda *_: None)\n"
            "    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)\n"
            "    for _ in range(20): print('x' * 200_000)\n"
        )
        answer = run(script)
        self.assertEqual((answer.text, len(answer.stdout)), ("null", 20 * 200_001))

    def test_non_blocking_stdout(self):
        script = "import os\ndef main():\n    os.set_blocking(1, False)\n    print('x' * 500_000)"
        self.assertEqual(len(run(script).stdout), 500_001)

    def test_replaced_streams_are_flushed(self):
        script = (
            "import sys, io\nsys.stdout = open(1, 'w', closefd=False)\ndef main(): print('kept')"
        )
        self.assertEqual(run(script).stdout, b"kept\n")

    def test_printed_until_the_failure(self):
        answer = run("def main():\n    print('before')\n    1 / 0")
        self.assertEqual((answer.stdout, answer.error["line"]), (b"before\n", 3))

    def test_descriptors_and_names(self):
        script = (
            "import sys\n"
            "def main(): return [[s.fileno(), s.name, s.encoding, s.isatty()] for s in (sys.stdin, sys.stdout, sys.stderr)]"
        )
        expected = [
            [n, f"<{s}>", "utf-8", False] for n, s in enumerate(("stdin", "stdout", "stderr"))
        ]
        self.assertEqual(run(script).result, expected)


class Input(unittest.TestCase):
    def test_empty_by_default(self):
        self.assertEqual(run("import sys\ndef main(): return sys.stdin.read()").result, "")

    def test_text(self):
        script = "import os, sys\ndef main(): return [input(), sys.stdin.read(), os.listdir('.')]"
        for cold in (False, True):
            got = run(script, cold=cold, stdin="één\ntwo\nthree").result
            self.assertEqual(got, ["één", "two\nthree", []])

    def test_descriptor(self):
        self.assertEqual(
            run("import os\ndef main(): return os.read(0, 9).decode()", stdin="abc").result, "abc"
        )

    def test_end_of_input(self):
        error = run("def main(): input()").error
        self.assertEqual(error["message"], "EOFError: EOF when reading a line")


if __name__ == "__main__":
    unittest.main()
