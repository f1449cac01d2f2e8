"""The script as a module: what running it takes beyond the ordinary.

The native half compiles and runs it and calls a main() of none or one plain argument (`Ordinary`),
and comes here for all else.
"""

import sys
from _frozen_importlib import ModuleSpec, _find_spec

from cellblock_zygote import Ordinary

from . import ending, own
from .call import Function, NoMain, call_main  # noqa: F401
from .jsonc import parse, scan  # noqa: F401
from .program import compile_program, run_program  # noqa: F401
from .where import SCRIPT as FILE

__builtins__ = own.NAMES

_Module = type(sys)
_modules = sys.modules
_program = _modules["__main__"]  # in whose place a script's is


class BadSyntax(Exception):
    """The script does not compile; `cause` is what the compiler raised."""

    def __init__(self, cause: BaseException, source: str) -> None:
        self.cause, self.source = cause, source


class _Loader:
    """Stands for the file that is not there: tracebacks and inspect ask it for the source."""

    def get_source(self, name: str) -> str:
        return sources[0]

    def is_package(self, name: str) -> bool:
        return False

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: _Module) -> None:
        raise ImportError("the script cannot be reloaded", name=module.__name__)


class _LinecacheFinder:
    """Finds linecache for whoever imports it first, and then gives it the script's lines."""

    def __init__(self, source: str) -> None:
        self._source = source

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name != "linecache" or self not in sys.meta_path:
            return None
        sys.meta_path.remove(self)
        spec = _find_spec(name, path)
        if spec is not None:
            self._real, spec.loader = spec.loader, self
        return spec

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: _Module) -> None:
        module.__loader__ = module.__spec__.loader = self._real
        self._real.exec_module(module)
        _enter(getattr(module, "cache", None), self._source)


def prepare() -> None:
    """Find and make what is the same for every script, before the first of a process."""
    global lines, loader, sources, spec, tables, ordinary
    linecache = sys.modules.get("linecache")
    lines = linecache and getattr(linecache, "cache", ())
    loader, sources = _Loader(), [""]
    tables = ending.tables()
    spec = ModuleSpec("script", loader, origin=FILE)
    spec.has_location = True
    ordinary = Ordinary(sys.modules[__name__])


def remember_lines(source: str) -> None:
    """Register the source in linecache, as an entry that checkcache() leaves alone.

    If nobody has imported linecache yet, which is slow, it gets the lines when somebody does.
    """
    if "linecache" in _modules:
        _enter(getattr(_modules["linecache"], "cache", None), source)
    else:
        sys.meta_path.insert(0, _LinecacheFinder(source))


def _enter(cache: object, source: str) -> None:
    if type(cache) is dict:
        lines = []
        # Not a comprehension, for which CPython 3.11 and older make a function each time.
        for line in source.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
            lines.append(line + "\n")
        cache[FILE] = (len(source), None, lines, FILE)


def forget() -> None:
    """Take back what a run has registered."""
    _modules.pop("script", None)
    _modules["__main__"] = _program
    sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder) is not _LinecacheFinder]
    cache = getattr(_modules.get("linecache"), "cache", None)
    if type(cache) is dict:
        cache.pop(FILE, None)


def wait_for(awaitable: object) -> object:
    import asyncio

    async def main() -> object:
        try:
            return await awaitable
        finally:
            # asyncio.run would wait for the default executor's threads; an answer waits for none.
            asyncio.get_running_loop()._default_executor = None

    return asyncio.run(main())
