"""Lays what every run uses together, in new memory (CPython 3.11 and older).

To use an object there counts a reference to it, on the page where it lies, which each cell copies.
CPython keeps objects of each size on pages of their own, so those of a module lie scattered among
many that no run uses. What is made here is made one after the other.
"""

import gc
import sys
from types import CodeType, FunctionType, GetSetDescriptorType, MemberDescriptorType

from . import cell, own, settle

_PREFIX = __package__ + "."


def renew(rehearse: object) -> None:
    """Make anew what `rehearse` calls: all code, and the runner's own functions and classes."""
    codes = _called(rehearse)
    copies = {code: _copy_code(code) for code in codes}
    for function in gc.get_objects():
        if type(function) is FunctionType and function.__code__ in copies:
            function.__code__ = copies[function.__code__]
    _renew_names(set(map(id, copies.values())))
    _renew_modules()


def _called(rehearse: object) -> list:
    seen = {}  # in the order of the first call
    sys.setprofile(lambda frame, event, argument: seen.setdefault(frame.f_code))
    rehearse()
    sys.setprofile(None)
    # What no rehearsal may call, since it changes the process.
    return [*seen, *(function.__code__ for function in (cell.run, settle.settle, *settle.STEPS))]


def _copy_code(code: object) -> object:
    """With copies of its constants too, such as comprehensions and numbers."""
    return code.replace(co_consts=tuple(_copy_constant(one) for one in code.co_consts))


def _copy_constant(one: object) -> object:
    if type(one) is CodeType:
        return _copy_code(one)
    if type(one) is float or type(one) is int:
        return one * 1
    if type(one) is bytes:
        return bytes(bytearray(one))
    if type(one) is str and not one.isidentifier():  # names are one object for the whole process
        return one.encode("utf-8", "surrogatepass").decode("utf-8", "surrogatepass")
    if type(one) is tuple:
        return tuple([_copy_constant(part) for part in one])
    if type(one) is frozenset:
        return frozenset([*one])
    return one


def _renew_names(codes: set) -> None:
    """Of the runner's own modules; `codes`: the identities of those that are called."""
    spaces = [vars(module) for name, module in sys.modules.items() if name.startswith(_PREFIX)]
    renewed = {}
    for space in spaces:
        for name, value in space.items():
            if id(value) not in renewed:
                renewed[id(value)] = _renewed(value, codes)
            if not name.startswith("__"):  # a module's own
                space[name] = renewed[id(value)]
    for name, value in own.PUBLIC.items():  # the guard of imports
        if type(value) is FunctionType:
            own.PUBLIC[name] = renewed.get(id(value), value)


def _renewed(value: object, codes: set) -> object:
    if type(value) is range:
        return range(value.start, value.stop)
    if type(value) is tuple:
        return tuple([_renewed(part, codes) for part in value])
    if type(value) is FunctionType and id(value.__code__) in codes:
        return _copy_function(value)
    return _copy_class(value) if _is_used_class(value, codes) else _copy_constant(value)


def _is_used_class(value: object, codes: set) -> bool:
    if type(value) is not type or value.__bases__ != (object,):
        return False
    methods = [part for part in vars(value).values() if type(part) is FunctionType]
    ours = value.__module__.startswith(_PREFIX)
    return ours and any(id(method.__code__) in codes for method in methods)


def _copy_class(old: type) -> type:
    space = {
        name: _copy_function(part) if type(part) is FunctionType else part
        for name, part in vars(old).items()
        if type(part) not in (MemberDescriptorType, GetSetDescriptorType)
    }
    return type(old.__name__, old.__bases__, space)


def _copy_function(function: FunctionType) -> FunctionType:
    copy = FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    copy.__module__, copy.__qualname__ = function.__module__, function.__qualname__
    return copy


def _renew_modules() -> None:
    """The table of `sys.modules`, in which each cell enters its script."""
    modules = dict(sys.modules)
    sys.modules.clear()
    sys.modules.update(modules)
