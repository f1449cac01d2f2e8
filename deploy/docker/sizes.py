#!/usr/bin/env python3
"""Where each megabyte of the image goes: `docker save IMAGE | sizes.py`.

Compressed is what each part takes alone under gzip, as registries keep layers; the total is that of
the layers as they are.
"""

import io
import json
import sys
import tarfile
import zlib

# What a path belongs to: the first part that it contains.
PARTS = (
    ("server", ("usr/local/bin/cellblock",)),
    ("zygote extension, runner, init", ("libcellblock_zygote", "/runtime-")),
    ("nsjail", ("/tools/nsjail",)),
    ("pandas", ("/packages/pandas",)),
    ("numpy", ("/packages/numpy",)),
    ("other packages", ("/packages/",)),
    ("time zones", ("/usr/share/zoneinfo",)),
    ("standard library", ("/root/python/lib",)),
    ("CPython", ("/root/python/", "/libpython")),
    ("libraries of the environment", ("/root/lib", "/root/usr/lib")),
    ("libraries of the server and nsjail", ("lib/", "lib64/")),
)


def part_of(path: str) -> str:
    for name, marks in PARTS:
        if any(mark in path for mark in marks):
            return name
    return "the rest"


def compressed(data: bytes) -> int:
    return len(zlib.compress(data, 6))


def main() -> None:
    image = tarfile.open(fileobj=io.BytesIO(sys.stdin.buffer.read()))
    manifest = json.load(image.extractfile("manifest.json"))
    contents: dict[str, list[bytes]] = {}
    packed = 0
    for name in manifest[0]["Layers"]:
        layer = image.extractfile(name).read()
        packed += len(layer) if layer[:2] == b"\x1f\x8b" else compressed(layer)
        for entry in (files := tarfile.open(fileobj=io.BytesIO(layer))):
            if entry.isfile():
                contents.setdefault(part_of(entry.name), []).append(files.extractfile(entry).read())
    print(f"{'part':<36} {'MB':>7} {'compressed':>10}")
    total = 0
    rows = [(sum(map(len, parts)), name) for name, parts in contents.items()]
    for size, name in sorted(rows, reverse=True):
        total += size
        print(f"{name:<36} {size / 1e6:>7.1f} {compressed(b''.join(contents[name])) / 1e6:>10.1f}")
    print(f"{'total':<36} {total / 1e6:>7.1f} {packed / 1e6:>10.1f}")


if __name__ == "__main__":
    main()
