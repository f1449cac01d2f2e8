"""What some modules are told of a sandbox as soon as they are imported, by whomever.

Each tries something by habit that a sandbox does not have, and has another way that works: a row of
the table sets it on that way, or has it say what there is instead.
"""

import sys

from . import own

__builtins__ = own.NAMES


def _no_tracker(module: object) -> None:
    """The resource tracker is another program. It removes named semaphores and shared memory that a
    program leaves behind, and a cell leaves nothing behind."""
    tracker = module.ResourceTracker
    tracker.ensure_running = lambda self: None
    tracker._send = lambda self, *message: None
    module.ensure_running = module._resource_tracker.ensure_running


def _fork_by_default(module: object) -> None:
    """The default is another from Python 3.14 on, where it starts a program."""
    module._default_context = module.DefaultContext(module._concrete_contexts["fork"])


def _no_program(module: object) -> None:
    def _launch(self: object, process: object) -> None:
        raise RuntimeError(
            f"a sandbox cannot start another program, which the start method {self.method!r} does; "
            "use multiprocessing.get_context('fork')"
        )

    module.Popen._launch = _launch


def _without_sendmsg(module: object) -> None:
    """A sandbox has no sendmsg, which can pass descriptors on."""
    module._HAS_SENDMSG = False


def _joblib_by_fork(module: object) -> None:
    """joblib's default backend starts programs; its other one forks."""
    module.BACKENDS["loky"] = module.BACKENDS["multiprocessing"]


_TABLE = {
    "multiprocessing.resource_tracker": _no_tracker,
    "multiprocessing.context": _fork_by_default,
    "multiprocessing.popen_spawn_posix": _no_program,
    "multiprocessing.popen_forkserver": _no_program,
    "asyncio.selector_events": _without_sendmsg,
    "joblib.externals.loky.backend.resource_tracker": _no_tracker,
    "joblib.parallel": _joblib_by_fork,
}


class _Finder:
    """Finds a module of the table as others do, and has it told when it has been run."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> object:
        if name not in _TABLE:
            return None
        for finder in sys.meta_path:
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec = find and find(name, path, target)
            if spec is not None:
                if hasattr(spec.loader, "exec_module"):
                    spec.loader = _Loader(spec.loader)
                return spec
        return None


class _Loader:
    """Stands for a module's own loader until the module is run."""

    def __init__(self, real: object) -> None:
        self._real = real

    def create_module(self, spec: object) -> object:
        return self._real.create_module(spec)

    def exec_module(self, module: object) -> None:
        module.__loader__ = module.__spec__.loader = self._real
        self._real.exec_module(module)
        _tell(module.__name__, module)


def _tell(name: str, module: object) -> None:
    try:
        _TABLE[name](module)
    except (AttributeError, KeyError, TypeError):
        pass  # a version that is made otherwise; what it tries then fails as it fails


def install() -> None:
    """In a zygote for all of its cells, or in a cell: tell what is there, and what comes."""
    for name in _TABLE:
        if name in sys.modules:
            _tell(name, sys.modules[name])
    sys.meta_path.insert(0, _Finder())


# What traces or counts lines, as `trace` does, takes a module without a file for a part of Python.
del __file__
