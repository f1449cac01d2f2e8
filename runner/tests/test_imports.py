"""Restricted imports: refused to the script, by every route, and to nobody else."""

import unittest

from harness import run

REASON = "there is no network; send files"
RESTRICTED = {"socket": REASON, "urllib.request": REASON}
RESTRICTED |= dict.fromkeys(("http.client", "multiprocessing", "ctypes"))


class Refused(unittest.TestCase):
    def check(self, script, module, line=1, **fields):
        reason = RESTRICTED.get(module)
        answer = run(script, restricted=RESTRICTED, **fields)
        error = answer.error
        self.assertEqual(error["type"], "restricted_import")
        why = f": {reason}" if reason else " in this environment"
        self.assertEqual(error["message"], f"import of '{module}' is restricted{why}")
        self.assertEqual((error["module"], error["line"]), (module, line))
        for hidden in ("imports.py", 'File "importlib', "frozen importlib", 'File "/'):
            self.assertNotIn(hidden, error["traceback"])

    def test_routes(self):
        for source, module in (
            ("import socket", "socket"),
            ("import socket as s", "socket"),
            ("from socket import AF_UNIX", "socket"),
            ("import urllib.request", "urllib.request"),
            ("from urllib import parse, request", "urllib.request"),
            ("from http.client import HTTPConnection", "http.client"),
            ("import multiprocessing.pool", "multiprocessing.pool"),
            ("__import__('socket')", "socket"),
            ("__import__('urllib', fromlist=['request'])", "urllib.request"),
            ("__import__('client', {'__package__': 'http'}, None, ['x'], 1)", "http.client"),
            ("import importlib; importlib.import_module('socket')", "socket"),
            ("import importlib; importlib.import_module('.client', 'http')", "http.client"),
            ("import importlib; importlib.__import__('socket')", "socket"),
            ("import builtins; builtins.__import__('socket')", "socket"),
            ("exec('import socket')", "socket"),
            ("exec('import socket', {})", "socket"),
            ("eval(\"__import__('socket')\", {})", "socket"),
            ("exec(compile('import socket', '<made up>', 'exec'))", "socket"),
        ):
            for cold in (False, True):
                with self.subTest(source, cold=cold):
                    self.check(source, module, cold=cold)

    def test_inside_main(self):
        self.check("def main():\n    import ctypes\n", "ctypes", line=2)
        self.check("async def main():\n    import ctypes\n", "ctypes", line=2)

    def test_from_a_helper_module(self):
        files = [{"path": "helper.py", "text": "def f():\n    import socket\n"}]
        self.check("import helper\ndef main():\n    helper.f()", "socket", line=3, files=files)
        files = [{"path": "pack/__init__.py", "text": "from socket import *"}]
        self.check("import pack", "socket", files=files)

    def test_from_a_callback(self):
        self.check(
            "def f(x):\n    import socket\ndef main():\n    sorted([1], key=f)", "socket", line=2
        )
        self.check(
            "import functools\ndef f(a, b):\n    import socket\nfunctools.reduce(f, [1, 2])",
            "socket",
            line=3,
        )


class Allowed(unittest.TestCase):
    def result(self, script, **fields):
        return run(script, restricted=RESTRICTED, **fields).result

    def test_caught(self):
        script = (
            "try:\n    import socket\nexcept ImportError as e:\n    caught = [type(e).__name__, e.name]\n"
            "def main(): return caught"
        )
        self.assertEqual(self.result(script), ["RestrictedImportError", "socket"])

    def test_libraries_import_what_they_need(self):
        for source in (
            "import asyncio, http.server, urllib.error, concurrent.futures.process",
            "import xmlrpc.client, smtplib, logging.handlers",
            "import uuid; uuid.uuid1()",
        ):
            for cold in (False, True):
                with self.subTest(source, cold=cold):
                    self.assertIsNone(self.result(f"{source}\ndef main(): pass", cold=cold))

    def test_neighbours(self):
        source = "import urllib.parse, http, socketserver\nfrom urllib import parse\ndef main(): return 1"
        self.assertEqual(self.result(source), 1)

    def test_relative_imports_in_packages(self):
        files = [
            {
                "path": "pack/__init__.py",
                "text": "from . import socket\nfrom .socket import x as y",
            },
            {"path": "pack/socket.py", "text": "x = 5"},
        ]
        self.assertEqual(self.result("import pack\ndef main(): return pack.y", files=files), 5)

    def test_ordinary_errors_stay(self):
        for source, message in (
            ("import nosuch", "ModuleNotFoundError: No module named 'nosuch'"),
            ("from urllib import nosuch", "ImportError: cannot import name 'nosuch' from 'urllib'"),
            ("__import__(5)", "TypeError: "),
            ("__import__('')", "ValueError: Empty module name"),
            (
                "import importlib; importlib.import_module('.x')",
                "TypeError: the 'package' argument is required",
            ),
        ):
            with self.subTest(source):
                error = run(source, restricted=RESTRICTED).error
                self.assertTrue(error["message"].startswith(message), error["message"])

    def test_nothing_restricted_leaves_import_alone(self):
        source = "import builtins, socket\ndef main(): return repr(builtins.__import__)"
        self.assertEqual(run(source).result, "<built-in function __import__>")


if __name__ == "__main__":
    unittest.main()
