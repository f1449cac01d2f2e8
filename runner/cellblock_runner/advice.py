"""What to do about an exception that comes of the sandbox: the `hint` of the answer.

A table of rules, of which the first that holds speaks. They are few and right rather than many: an
error that a script could meet anywhere else gets no hint. What is closed raises a bare OSError, so
besides its number it counts which call raised it: the names on the innermost frame's line.

As hostile as all that is said of an exception, see `report`: a script can only mislead itself.
"""

import errno
import os
import sys
from linecache import getline

from . import own, where

__builtins__ = own.NAMES

NETWORK = "there is no network in a sandbox: send what the script needs as `input` or in `files`"
PROGRAMS = "a sandbox runs no other program: call a Python library instead"
PROCESSES = (
    "the sandbox has as many processes and threads as it may: use fewer, or wait for some to end"
)
TERMINAL = "there is no terminal in a sandbox: read standard input instead"
WRITE = "a script can write only below HOME, where it starts: use a relative path"
OUTSIDE = (
    "a sandbox has none of the machine's files, and a script writes only below HOME, where it "
    "starts: send what it reads in `files`, and use relative paths"
)
FILES = "a script finds only the files that the request sends in `files` and those that it writes"
INPUT = "what `input()` reads is the request's `stdin`, which has no more lines"
EXECUTABLE = (
    "there is no executable memory in a sandbox, which native code's callbacks and just-in-time "
    "compilers need: use the package without them, or an environment that has `jit`"
)
REFUSED = "the sandbox refuses this system call, and no request can allow it: do without it"

_CHAIN_MAX = 10
_FRAMES_MAX = 10_000
_LINE_MAX = 1_000
_NAME_MAX = 100

_traceback_of = BaseException.__traceback__.__get__
_cause_of = BaseException.__cause__.__get__
_context_of = BaseException.__context__.__get__
_is_suppressed = BaseException.__suppress_context__.__get__
_errno_of, _filename_of = OSError.errno.__get__, OSError.filename.__get__
_import_of = ImportError.name.__get__
_mro_of = type.__dict__["__mro__"].__get__
_name_of = type.__dict__["__name__"].__get__
_module_of = type.__dict__["__module__"].__get__
_is_directory = os.path.isdir
_modules, _Module = sys.modules, type(sys)

_DENIED = frozenset((errno.EPERM, errno.EACCES, errno.ENOSYS))
_OS_ERROR = ("builtins", "OSError")
_STARTS_PROGRAM = frozenset(
    ("_execute_child", "_posix_spawn", "_fork_exec", "fork_exec", "spawnv_passfds", "_execvpe")
    + ("execl", "execle", "execlp", "execlpe", "execv", "execve", "execvp", "execvpe")
    + ("posix_spawn", "posix_spawnp", "Popen")
)
_USES_NETWORK = frozenset(
    ("_socket", "socket", "socketpair", "connect", "connect_ex", "bind", "listen", "accept")
    + ("sendto", "sendmsg", "if_nameindex", "create_connection")
)
_LOOKS_FOR_FILE = frozenset(("open", "stat", "lstat", "listdir", "scandir"))
_MAKES_CALLBACK = frozenset(("CFUNCTYPE", "PYFUNCTYPE"))
# Packages that are for nothing but a network: another environment would be no help.
_NETWORK_PACKAGES = frozenset(
    ("requests", "httpx", "aiohttp", "urllib3", "websockets", "paramiko", "boto3", "selenium")
)


class _Met:
    """One exception, and the call that raised it."""

    def __init__(self, error: BaseException, message: str, source: str) -> None:
        self.error, self.message = error, message
        self.kinds = {(_module_of(kind), _name_of(kind)) for kind in _mro_of(type(error))}
        is_os = _OS_ERROR in self.kinds
        number, path = (_errno_of(error), _filename_of(error)) if is_os else (None, None)
        self.errno = number if type(number) is int else None
        self.path = path if type(path) is str else None
        self.frame, number = _innermost(error)
        self.line, self.names = "", frozenset()
        if self.frame is not None:
            code = self.frame.f_code
            self.line = _line(code.co_filename, number, source)
            self.names = _names(f"{code.co_name} {self.line}")

    def is_of_script(self) -> bool:
        return self.frame is None or not where.is_library(self.frame.f_code.co_filename)


class _Rule:
    """Says `hint` where all that is given holds."""

    def __init__(self, hint, kind=_OS_ERROR, errnos=None, names=None, text=None, also=None):
        self.hint, self._kind, self._errnos = hint, kind, errnos
        self._names, self._text, self._also = names, text, also

    def holds(self, met: _Met) -> bool:
        return (
            self._kind in met.kinds
            and (self._errnos is None or met.errno in self._errnos)
            and (self._names is None or not self._names.isdisjoint(met.names))
            and (self._text is None or self._text in met.message)
            and (self._also is None or self._also(met))
        )


def hint_for(error: BaseException, message: str, source: str) -> str | None:
    """The advice for what left the script, whose headline is `message`, or for what led to it."""
    for _ in range(_CHAIN_MAX):
        met = _Met(error, message, source)
        for rule in _RULES:
            if rule.holds(met):
                return rule.hint
        if ("builtins", "ModuleNotFoundError") in met.kinds:
            return _absent(_import_of(error))
        error, message = _led_to(met), ""
        if error is None:
            break
    return None


def _led_to(met: _Met) -> BaseException | None:
    """The exception behind this one. What a script's own mistake came upon is not its reason."""
    cause = _cause_of(met.error)
    if cause is not None or _is_suppressed(met.error):
        return cause
    relays = _OS_ERROR in met.kinds or ("builtins", "ImportError") in met.kinds
    return _context_of(met.error) if relays or not met.is_of_script() else None


def _innermost(error: BaseException) -> tuple:
    """The frame that raised it and its line, the runner's and the import system's left out."""
    found, number = None, 0
    trace = _traceback_of(error)
    for _ in range(_FRAMES_MAX):
        if trace is None:
            break
        if not where.is_runner(trace.tb_frame.f_code.co_filename):
            found, number = trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next
    return found, number


def _line(filename: str, number: int, source: str) -> str:
    if filename != where.SCRIPT:
        return getline(filename, number)[:_LINE_MAX]
    lines = source.splitlines()[number - 1 : number] if number else []
    return lines[0][:_LINE_MAX] if lines else ""


def _names(text: str) -> frozenset:
    return frozenset("".join(c if c == "_" or c.isalnum() else " " for c in text).split())


def _is_outside(met: _Met) -> bool:
    path = met.path
    return (
        path is not None
        and path.startswith("/")
        and not (path + "/").startswith(where.home)
        and not where.is_library(path)
    )


def _is_looked_for(met: _Met) -> bool:
    """Not there, though a file could be made there: it was to be read."""
    path = met.path
    if path is None or _is_outside(met) or path.startswith("/") and where.is_library(path):
        return False
    return _is_directory(path.rpartition("/")[0] or ("/" if path.startswith("/") else "."))


def _makes_callback(met: _Met) -> bool:
    """Whether the line calls a type of ctypes' functions: libffi has no memory to put one in."""
    functions = getattr(_modules.get("_ctypes"), "CFuncPtr", None)
    if functions is None:
        return False
    if not _MAKES_CALLBACK.isdisjoint(met.names):
        return True
    for space in (met.frame.f_locals, met.frame.f_globals):
        for value in [space[name] for name in met.names if name in space]:
            found = [value]
            if type(value) is _Module:
                found += [vars(value)[name] for name in met.names if name in vars(value)]
            if any(type(each) is type(functions) for each in found):
                return True
    return False


def _raises_nothing(met: _Met) -> bool:
    """The error is the system's, not one that Python code has made."""
    return met.frame is not None and "raise" not in met.names


def _absent(name: object) -> str | None:
    """What to do without a module: nothing if that is the interpreter's, or a part of one there."""
    top = name.partition(".")[0] if type(name) is str else ""
    if top in _NETWORK_PACKAGES:
        return NETWORK
    if not top.isidentifier() or top in _modules or top in sys.stdlib_module_names:
        return None
    shown = top[:_NAME_MAX]
    return (
        f"{shown!r} is not in this environment: name another `environment` that has it, or send a "
        "module of the script's own in `files`"
    )


_RULES = (
    _Rule(NETWORK, kind=("socket", "gaierror")),
    _Rule(PROGRAMS, errnos=_DENIED, names=_STARTS_PROGRAM),
    _Rule(NETWORK, errnos=_DENIED, names=_USES_NETWORK),
    _Rule(PROCESSES, errnos={errno.EAGAIN}, names={"fork", "forkpty"}),
    _Rule(PROCESSES, kind=("builtins", "RuntimeError"), text="can't start new thread"),
    _Rule(TERMINAL, names={"openpty", "forkpty", "_open_terminal"}),
    _Rule(WRITE, errnos={errno.EROFS}),
    _Rule(OUTSIDE, errnos={errno.ENOENT, errno.EACCES}, also=_is_outside),
    _Rule(FILES, errnos={errno.ENOENT}, names=_LOOKS_FOR_FILE, also=_is_looked_for),
    _Rule(INPUT, kind=("builtins", "EOFError"), text="EOF when reading a line"),
    # numpy's loadtxt and genfromtxt.
    _Rule(FILES, kind=("builtins", "FileNotFoundError"), errnos={None}, text=" not found."),
    _Rule(EXECUTABLE, errnos={errno.EPERM}, names={"PROT_EXEC"}),
    _Rule(EXECUTABLE, kind=("builtins", "MemoryError"), also=_makes_callback),
    # cffi's callbacks.
    _Rule(EXECUTABLE, kind=("builtins", "MemoryError"), text="write+execute memory"),
    # jax.
    _Rule(EXECUTABLE, kind=("builtins", "RuntimeError"), text="LLVM: Operation not permitted"),
    _Rule(REFUSED, errnos={errno.EPERM, errno.ENOSYS}, also=_raises_nothing),
)
