"""Which tests there are: jobs for each suite, found in the files of an interpreter or a package."""

import fnmatch
from pathlib import Path

from sides import Job

# Seconds that a test, and a job, may take. Regrtest's own modules take minutes on a slow machine.
PATIENCE, SECONDS = 40, 900
# Files of pytest's that share a process: to start one, with its imports, takes a second.
TOGETHER = 8

# What is no test of the interpreter, or one of things that no environment has.
NOT_MODULES = {
    "test.test_asyncio.test_sock_lowlevel",
    "test.test_idle",
    "test.test_tkinter",
    "test.test_ttk",
    "test.test_turtle",
    "test.test_gdb",
    # Each test waits ten seconds for a server that cannot come up.
    "test.test_xmlrpc",
}


def jobs(suite: str, standard: Path, packages: Path, only: str) -> list:
    """The jobs of a suite, of those modules whose names match one of the globs `only`."""
    if suite == "cpython":
        names = [name for name in modules(standard, standard / "test") if name not in NOT_MODULES]
        return [Job("unittest", [name], PATIENCE, SECONDS) for name in matching(names, only)]
    names = matching(modules(packages, packages / suite), only)
    names = [name for name in names if ".tests." in name]
    return [Job("pytest", group, PATIENCE, SECONDS) for group in groups(names)]


def modules(base: Path, directory: Path) -> list:
    """The full names of all test modules below a directory, in order."""
    files = sorted(directory.rglob("test_*.py"))
    parts = [file.relative_to(base).with_suffix("").parts for file in files]
    # Directories that are no packages hold data, among it modules that tests write about.
    return [
        ".".join(part)
        for file, part in zip(files, parts, strict=True)
        if is_package(file.parent, directory)
    ]


def is_package(directory: Path, top: Path) -> bool:
    """Whether it can be imported. A directory of tests need not say that it is a package."""
    inner = directory.parent if directory.name == "tests" else directory
    above = [inner, *inner.parents]
    return all((path / "__init__.py").exists() for path in above[: above.index(top)])


def matching(names: list, only: str) -> list:
    globs = only.split(",")
    return [name for name in names if any(fnmatch.fnmatchcase(name, glob) for glob in globs)]


def groups(names: list) -> list:
    """Neighbours of one directory, some at a time."""
    found = []
    for name in names:
        directory = name.rpartition(".")[0]
        last = found[-1] if found else None
        if last and len(last) < TOGETHER and last[0].rpartition(".")[0] == directory:
            last.append(name)
        else:
            found.append([name])
    return found
