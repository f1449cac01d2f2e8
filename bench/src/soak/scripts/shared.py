# What another run might have left: each run adds to everything that it looks for.
import builtins
import json
import os
import sys


def main():
    found = os.listdir("/tmp")
    found += [name for name in os.environ if name.startswith("SOAK")]
    found += [name for name in sys.modules if name.startswith("soak")]
    found += [name for place in (builtins, json) for name in vars(place) if name == "soak"]
    open("/tmp/soak", "w").close()
    os.environ["SOAK"] = "1"
    sys.modules["soak"] = sys
    builtins.soak = json.soak = 1
    return found
