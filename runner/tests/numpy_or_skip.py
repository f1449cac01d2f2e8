"""Skips what needs numpy or pandas, and says so where nobody can miss it."""

import importlib.util
import sys
import unittest


def _needs(name):
    if importlib.util.find_spec(name) is not None:
        return lambda test: test
    print(f"\n*** {name} IS MISSING: its tests are SKIPPED ***\n", file=sys.stderr)
    return unittest.skip(f"{name} is missing")


needs_numpy = _needs("numpy")
needs_pandas = _needs("pandas")
