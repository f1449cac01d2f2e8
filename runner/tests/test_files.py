"""Files in and files out."""

import base64
import os
import unittest

from cellblock_runner import wildcard
from harness import DONE, ERROR, RESULT, run

SHOW = "def main(): return {p: open(p, 'rb').read().decode() for p in ('a.txt', 'data/deep/b.bin')}"


class In(unittest.TestCase):
    def test_written(self):
        files = [
            {"path": "a.txt", "text": "één\r\n"},
            {"path": "data/deep/b.bin", "content": base64.b64encode(b"x" * 100_000).decode()},
        ]
        for cold in (False, True):
            got = run(SHOW, files=files, cold=cold).result
            self.assertEqual(got, {"a.txt": "één\r\n", "data/deep/b.bin": "x" * 100_000})

    def test_helper_modules_import(self):
        files = [{"path": "helper.py", "text": "x = 5"}, {"path": "pack/mod.py", "text": "y = 6"}]
        script = "import helper, os\nfrom pack.mod import y\ndef main(): return [helper.x, y, sorted(os.listdir('pack'))]"
        self.assertEqual(run(script, files=files).result, [5, 6, ["mod.py"]])

    def test_bad_paths(self):
        for path in ("", "/etc/x", "../x", "a/../b", "a//b", "./a", "a/", "a\0b", "x" * 300):
            with self.subTest(path):
                answer = run("def main(): pass", files=[{"path": path, "text": ""}])
                self.assertEqual(answer.error["type"], "internal")
                self.assertEqual((answer.done, answer.status), (True, 70))

    def test_conflicts(self):
        for second in ("a", "a/b"):
            files = [{"path": "a", "text": "1"}, {"path": second, "text": "2"}]
            answer = run("def main(): pass", files=files)
            self.assertEqual((answer.error["type"], answer.status), ("internal", 70))


class Out(unittest.TestCase):
    def collect(self, body, patterns, **limits):
        answer = run(f"import os\ndef main():\n    {body}", output_files=patterns, limits=limits)
        self.assertTrue(answer.done)
        return answer

    def test_frames(self):
        body = "os.mkdir('d'); open('d/b.txt', 'w').write('bb'); open('a.txt', 'w').write('a')"
        answer = self.collect(body, ["*.txt", "d/*"])
        head = b'{"path":"%s","size":%d,"omitted":false}'
        expected = [
            (RESULT, b"null"),
            (0x13, head % (b"a.txt", 1)),
            (0x14, b"a"),
            (0x13, head % (b"d/b.txt", 2)),
            (0x14, b"bb"),
            (DONE, b""),
        ]
        self.assertEqual(answer.frames, expected)

    def test_after_a_failure(self):
        answer = self.collect("open('x', 'w').write('1'); 1 / 0", ["x"])
        self.assertEqual([kind for kind, _ in answer.frames], [ERROR, 0x13, 0x14, DONE])

    def test_large_and_empty(self):
        answer = self.collect(
            "open('e', 'w'); open('f', 'wb').write(bytes(range(256)) * 1000)", ["*"]
        )
        self.assertEqual([data for _, data in answer.files], [b"", bytes(range(256)) * 1000])

    def test_limits(self):
        body = "[open(f'f{i}', 'w').write('x' * 40) for i in range(4)]; os.truncate('f1', 1 << 40)"
        answer = self.collect(body, ["f*"], output_files_bytes=100, output_files_count=10)
        got = [
            (head["path"], head["size"], head["omitted"], len(data)) for head, data in answer.files
        ]
        self.assertEqual(
            got,
            [
                ("f0", 40, False, 40),
                ("f1", 1 << 40, True, 0),
                ("f2", 40, False, 40),
                ("f3", 40, True, 0),
            ],
        )
        answer = self.collect(body, ["f*"], output_files_count=1)
        self.assertEqual([head["omitted"] for head, _ in answer.files], [False, True, True, True])

    def test_only_regular_files_and_no_links(self):
        body = (
            "os.mkfifo('fifo'); os.symlink('/etc/passwd', 'link'); os.symlink('/etc', 'dir'); "
            "import socket; socket.socket(socket.AF_UNIX).bind('sock'); os.mkdir('real'); open('real/ok', 'w'); "
            "os.symlink('real', 'alias')"
        )
        answer = self.collect(body, ["**", "dir/passwd", "alias/*", "*"])
        self.assertEqual([head["path"] for head, _ in answer.files], ["real/ok"])

    def test_escapes(self):
        answer = self.collect("open('x', 'w')", ["../*", "/etc/passwd", "/**", "x/.."])
        self.assertEqual([head["path"] for head, _ in answer.files], ["x"])

    def test_names(self):
        body = "open('é \\n', 'w'); open(b'\\xff', 'w'); open('.hidden', 'w')"
        answer = self.collect(body, ["*"])
        self.assertEqual([head["path"] for head, _ in answer.files], ["é \n", "\\udcff"])

    def test_descriptors_used_up(self):
        body = (
            "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)); open('x', 'w').write('1'); "
            "global kept; kept = [open('x') for _ in range(61)]"
        )
        answer = self.collect(body, ["x"])
        self.assertEqual([data for _, data in answer.files], [b"1"])

    def test_directory_gone_or_deep(self):
        self.assertEqual(self.collect("os.rmdir(os.getcwd())", ["*"]).files, [])
        deep = "for _ in range(200): os.mkdir('d'); os.chdir('d'); open('f', 'w')"
        self.assertGreater(len(self.collect(deep, ["**/f"]).files), 10)

    @unittest.skipIf(os.getuid() == 0, "root reads everything")
    def test_unreadable(self):
        answer = self.collect("open('x', 'w'); os.chmod('x', 0)", ["x"])
        self.assertEqual([head["omitted"] for head, _ in answer.files], [True])


class Globs(unittest.TestCase):
    def test_matching(self):
        for pattern, path, expected in (
            ("*.png", "a.png", True),
            ("*.png", "d/a.png", False),
            ("**/*.png", "a.png", True),
            ("**/*.png", "d/e/a.png", True),
            ("d/**", "d/e/f", True),
            ("d/**/f", "d/f", True),
            ("**", "a", True),
            ("**", "d/.git/x", False),
            ("**/.git/*", "d/.git/x", True),
            ("./a", "a", True),
            ("a?c", "abc", True),
            ("a?c", "ac", False),
            ("[a-c]x", "bx", True),
            ("[!a-c]x", "bx", False),
            ("[]]x", "]x", True),
            ("[!]]x", "]x", False),
            ("[a-]x", "-x", True),
            ("[ax", "[ax", True),
            ("*a*b*c", "xxaxxbxxc", True),
            ("*a*b*c", "xxaxxbxx", False),
            ("", "a", False),
            ("*", ".a", False),
            (".*", ".a", True),
            ("**/a/**/a/**/b", "a/" * 60 + "c", False),
            ("*a" * 30 + "b", "a" * 200, False),
        ):
            with self.subTest(pattern=pattern, path=path):
                got = wildcard.matches(tuple(path.split("/")), wildcard.compile_glob(pattern))
                self.assertIs(got, expected)


if __name__ == "__main__":
    unittest.main()
