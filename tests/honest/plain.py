"""What plain Python makes of a script: the measure that cells are held to.

`python -I -B plain.py JOB ANSWER` in an empty directory runs the script of the job and writes what
came of it to the file ANSWER, as soon as it is known; then the interpreter ends as it always does.
It is written without a look at cellblock's runner, and shares nothing with it.
"""

import importlib.machinery
import json
import os
import sys
import traceback
import types

FILE = "script.py"


def main(job_path, answer_path):
    with open(job_path, encoding="utf-8") as file:
        job = json.load(file)
    sys.argv = [FILE]
    standard = [path for path in sys.path if "site-packages" not in path]
    # As for `python script.py`, the directory of the script comes first.
    sys.path[:] = [job["directory"], *standard, job["packages"]]
    parent = os.getpid()
    try:
        answer = {"result": run(job)}
    except BaseException as error:
        answer = {"error": describe(error)}
        code = answer["error"].get("exit_code", 1)
    else:
        code = 0
    if os.getpid() == parent:
        with open(answer_path, "w", encoding="utf-8") as file:
            json.dump(answer, file, default=as_number)
    sys.exit(code)


def as_number(value):
    """What a scalar of NumPy is."""
    return value.item()


def run(job):
    in_main = job["mode"] == "main"
    module = types.ModuleType("script" if in_main else "__main__")
    module.__file__ = FILE
    path = os.path.join(job["directory"], FILE)
    module.__loader__ = importlib.machinery.SourceFileLoader(module.__name__, path)
    sys.modules["__main__"] = sys.modules[module.__name__] = module
    if not in_main:
        return run_as_program(job["script"], vars(module))
    exec(compile(job["script"], FILE, "exec"), vars(module))
    value = module.main(*job["positional"], **job["named"])
    if isinstance(value, types.CoroutineType):
        import asyncio

        value = asyncio.run(value)
    return value


def run_as_program(source, names):
    """The value of a trailing expression, as in a notebook."""
    import ast

    tree = ast.parse(source, FILE)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, FILE, "exec"), names)
    if last is None:
        return None
    value = eval(compile(ast.Expression(last.value), FILE, "eval"), names)
    try:
        json.dumps(value, default=as_number)
    except (AttributeError, TypeError, ValueError):
        return None
    return value


def describe(error):
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename != FILE:
        frames = frames.tb_next
    if isinstance(error, SystemExit):
        code = error.code
        described = {"type": "exited"}
        described["exit_code"] = int(code) if isinstance(code, int) else int(code is not None)
    else:
        kind = type(error)
        name = kind.__qualname__
        if kind.__module__ not in ("builtins", "__main__"):
            name = f"{kind.__module__}.{name}"
        text = "".join(traceback.format_exception(kind, error, frames))
        message = f"{name}: {error}" if str(error) else name
        described = {"type": "exception", "message": message, "traceback": text}
    lines = [line for frame, line in traceback.walk_tb(frames) if frame.f_code.co_filename == FILE]
    if lines:
        described["line"] = lines[-1]
    return described


before = sys.modules["__main__"]  # it would be taken apart, once it is not in the table
main(*sys.argv[1:])
