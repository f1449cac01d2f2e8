"""What every run uses, made anew: the same as before, elsewhere."""

import subprocess
import sys
import unittest

_ZYGOTE = """
import os, sys
import cellblock_runner

cellblock_runner.preload()
from cellblock_runner import cell, gather, imports, own, rehearsal, seed, settle

seed.prepare()
cell.prepare(os.getcwd(), ["json"], {"socket": "no network"})
old = {name: vars(cell)[name] for name in ("run", "_serve", "_Outcome", "_attempt", "quieten")}
modules, guard = dict(sys.modules), own.PUBLIC["__import__"]
gather.renew(rehearsal._rehearse)

for name, was in old.items():
    now = vars(cell)[name]
    assert now is not was, name
    assert (now.__name__, now.__module__) == (was.__name__, was.__module__), name
assert cell.quieten is settle.settle
assert "answered" in cell._Outcome.__slots__
assert own.PUBLIC["__import__"] is not guard
assert dict(sys.modules) == modules
assert sys.getprofile() is None
rehearsal._rehearse()
try:
    exec("import socket", {"__builtins__": own.PUBLIC})
except ImportError as error:
    print(error)
"""


class Renewal(unittest.TestCase):
    def test_same_as_before(self):
        done = subprocess.run(
            [sys.executable, "-c", _ZYGOTE], capture_output=True, text=True, timeout=60
        )
        self.assertEqual((done.stderr, done.returncode), ("", 0))
        self.assertEqual(done.stdout, "import of 'socket' is restricted: no network\n")
