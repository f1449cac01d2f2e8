"""Error documents: what went wrong, in the terms of the client's own script.

Everything about an exception may be hostile: its __str__ raises, recurses or returns a gigabyte,
its __cause__ is a lie. Whatever happens, a document comes out.
"""

import sys

from . import imports, jsonc, own, where
from .call import NoMain
from .module import BadSyntax, remember_lines

__builtins__ = own.NAMES

MESSAGE_MAX = 8 * 1024
TRACEBACK_MAX = 64 * 1024
_FRAMES_MAX = 2_000

_traceback_of = BaseException.__traceback__.__get__
_name_of = type.__dict__["__qualname__"].__get__
_module_of = type.__dict__["__module__"].__get__
_modules = sys.modules
_known_modules: dict = {}


def remember_modules() -> None:
    """Note what is imported, to give it back to `traceback` if the script clears sys.modules.

    Once, in the zygote if there is one: counting a reference to each module copies each one's page.
    """
    global _known_modules
    _known_modules = _known_modules or dict(_modules)


def describe(error: BaseException, source: str) -> dict:
    """The error document for what left the script."""
    kind = type(error)  # never isinstance: it asks the exception for its __class__
    if kind is NoMain:
        return {"type": "missing_main", "message": error.args[0]}
    if kind is BadSyntax:
        return _describe_syntax(error.cause, error.source)
    trace = _traceback_of(error)  # not error.__traceback__: the class may define its own
    message = _headline(error)
    document = {"type": "exception", "message": message}
    line = _last_script_line(trace)
    if line is not None:
        document["line"] = line
    if kind is imports.RestrictedImportError:
        document.update(type="restricted_import", message=_text_of(error))
        document["module"] = _text_of(error.name)
    elif issubclass(kind, MemoryError):
        document["type"] = "memory_limit"
    elif issubclass(kind, SystemExit):
        return _describe_exit(error, document)
    document["traceback"] = _formatted(error, trace, source) or message
    if kind is not imports.RestrictedImportError:
        _advise(document, error, source)
    return document


def _advise(document: dict, error: BaseException, source: str) -> None:
    """Add a hint where the sandbox is the reason, and tell what only looks like want of memory."""
    try:
        from . import advice

        hint = advice.hint_for(error, document["message"], source)
    except BaseException:
        return
    if hint is not None:
        document["hint"] = hint
        if hint == advice.EXECUTABLE:
            document["type"] = "exception"


def _describe_exit(error: SystemExit, document: dict) -> dict:
    """The exit code as the interpreter computes it; document["note"] is what it would print."""
    code = BaseException.args.__get__(error)
    code = SystemExit.code.__get__(error) if code else None
    if issubclass(type(code), int):
        number = int.__pos__(code)
        exit_code = number & 0xFF if -(1 << 63) <= number < 1 << 63 else 0xFF
    else:
        exit_code = 0 if code is None else 1
        if code is not None:
            document["note"] = _text_of(code) + "\n"
    message = f"the script exited with code {exit_code} before it had a result"
    document.update(type="exited", message=message, exit_code=exit_code)
    return document


def _describe_syntax(error: BaseException, source: str) -> dict:
    message = error.msg if isinstance(error, SyntaxError) else str(error)
    message = message or "the script is too complex to compile"
    document = {"type": "syntax_error", "message": f"{_name_of(type(error))}: {message}"}
    line, column = getattr(error, "lineno", None), getattr(error, "offset", None)
    if line is None and "\0" in source:
        start = source.index("\0")
        line, column = source.count("\n", 0, start) + 1, start - source.rfind("\n", 0, start)
    if isinstance(line, int) and line > 0:
        document["line"] = line
        document["column"] = max(column or 1, 1)
    remember_lines(source)
    try:
        import traceback

        lines = traceback.TracebackException(type(error), error, None).format_exception_only()
        document["traceback"] = "".join(lines)
    except Exception:
        document["traceback"] = document["message"]
    return document


def _headline(error: BaseException) -> str:
    """`ZeroDivisionError: division by zero`, the last line of a traceback."""
    kind = type(error)
    name = _name_of(kind)
    try:
        home = _module_of(kind)
        if type(home) is str and home not in ("builtins", "__main__"):
            name = f"{home}.{name}"
        text = error.msg if issubclass(kind, SyntaxError) else error
    except BaseException:
        text = error
    text = _text_of(text)
    if issubclass(kind, ImportError):
        text = where.scrubbed(text)
    return f"{name}: {text}" if text else name


def _text_of(value: object) -> str:
    try:
        return str.__str__(str(value))
    except BaseException:
        return "<exception str() failed>"


def _last_script_line(trace: object) -> int | None:
    line = None
    try:
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == where.SCRIPT:
                line = trace.tb_lineno
            trace = trace.tb_next
    except BaseException:  # reading a frame is an audit event, and audit hooks cannot be removed
        pass
    return line


def _formatted(error: BaseException, trace: object, source: str) -> str:
    """The traceback as Python prints it, less the runner; a plain one if that cannot be had."""
    if len(_modules) < len(_known_modules):
        _modules.update({**_known_modules, **_modules})
    remember_lines(source)
    try:
        from . import trace as formatter

        return formatter.render(error, trace, _FRAMES_MAX)
    except BaseException:
        pass
    try:
        return _plainly(error, trace)
    except BaseException:
        return ""


def _plainly(error: BaseException, trace: object) -> str:
    lines = ["Traceback (most recent call last):"]
    while trace is not None and len(lines) < _FRAMES_MAX:
        code = trace.tb_frame.f_code
        if not where.is_runner(code.co_filename):
            name = where.shown(code.co_filename)
            lines.append(f'  File "{name}", line {trace.tb_lineno}, in {code.co_name}')
        trace = trace.tb_next
    return "\n".join((*lines, _headline(error), ""))


def pack(document: dict) -> bytes:
    """The document as JSON, its texts cut to size and made valid UTF-8."""
    fields = dict(document)
    for name, size in (("message", MESSAGE_MAX), ("traceback", TRACEBACK_MAX), ("path", 2048)):
        if name in fields:
            fields[name] = _cut(fields[name], size)
    return jsonc.dumps(fields).encode("utf-8", "backslashreplace")


def _cut(text: str, size: int) -> str:
    """Keep the head and the tail of a text that is too long; the last lines say the most."""
    if len(text) > 2 * size:
        left_out = len(text) - 2 * size
        text = text[:size] + text[-size:]
    else:
        left_out = 0
    data = text.encode("utf-8", "backslashreplace")
    if len(data) <= size and not left_out:
        return data.decode()
    half = (size - 80) // 2
    head, tail = data[:half].decode("utf-8", "ignore"), data[-half:].decode("utf-8", "ignore")
    left_out += len(data) - 2 * half
    return f"{head}\n[... {left_out} bytes left out ...]\n{tail}"
