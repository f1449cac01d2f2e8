# Tells what this interpreter is, as one line of JSON. Run with -I -S: nothing of its user is read.
# Kept to what any Python 3 understands, so that an old one can be named in the error.
import json
import os
import sys


def base_executable():
    """The interpreter's real file; in a virtual environment, that of the one it was made from."""
    paths = [getattr(sys, "_base_executable", None) or "", sys.executable or ""]
    home = os.path.dirname(os.path.dirname(sys.executable))
    if os.path.exists(os.path.join(home, "pyvenv.cfg")):
        name = "python%d.%d" % sys.version_info[:2] + getattr(sys, "abiflags", "")
        paths.insert(0, os.path.join(sys.base_prefix, "bin", name))
    return next(os.path.realpath(path) for path in paths if os.path.isfile(path))


def extensions():
    """The directory of the standard library's extension modules, if there is one."""
    found = [path for path in sys.path if os.path.basename(path) == "lib-dynload"]
    return next((path for path in found if os.path.isdir(path)), None)


def site_packages():
    """Where packages are installed, the first to be searched first."""
    import site

    site.main()
    return [path for path in site.getsitepackages() if os.path.isdir(path)]


def c_library():
    """The C library's name and version, where it is glibc."""
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (AttributeError, OSError, ValueError):
        return ""


print(
    json.dumps(
        {
            "implementation": sys.implementation.name,
            "version": "%d.%d.%d" % sys.version_info[:3],
            "major": sys.version_info[0],
            "minor": sys.version_info[1],
            "build": sys.version,
            "machine": os.uname()[4],
            # Py_DEBUG and Py_GIL_DISABLED, without the 20 ms that sysconfig takes to tell.
            "debug": hasattr(sys, "gettotalrefcount"),
            "free_threaded": "t" in getattr(sys, "abiflags", ""),
            "c_library": c_library(),
            "executable": base_executable(),
            "prefix": sys.base_prefix,
            "library_dir": getattr(sys, "platlibdir", "lib"),
            "standard_library": os.path.realpath(os.path.dirname(os.__file__)),
            "extensions": extensions(),
            "site_packages": site_packages() if "packages" in sys.argv[1:] else [],
        }
    )
)
