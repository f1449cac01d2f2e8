# Tells what this interpreter is, as one line of JSON. Run with -I -S: nothing of its user is loaded.
# Kept to what any Python 3 understands, so that an old one can be named in the error.
import json
import os
import sys


def base_executable():
    """The interpreter's real file; for a virtual environment, that of the interpreter it was made from."""
    name = "python%d.%d%s" % (sys.version_info[0], sys.version_info[1], getattr(sys, "abiflags", ""))
    candidates = [getattr(sys, "_base_executable", None) or "", sys.executable or ""]
    if os.path.exists(os.path.join(os.path.dirname(os.path.dirname(candidates[-1])), "pyvenv.cfg")):
        candidates.insert(0, os.path.join(sys.base_prefix, "bin", name))
    return next(os.path.realpath(path) for path in candidates if os.path.isfile(path))


def site_packages():
    """Where packages are installed, the first to be searched first."""
    import site

    site.main()
    return [path for path in site.getsitepackages() if os.path.isdir(path)]


print(
    json.dumps(
        {
            "implementation": sys.implementation.name,
            "version": "%d.%d.%d" % sys.version_info[:3],
            "major": sys.version_info[0],
            "minor": sys.version_info[1],
            "build": sys.version,
            "machine": os.uname()[4],
            "executable": base_executable(),
            "prefix": sys.base_prefix,
            "library_dir": getattr(sys, "platlibdir", "lib"),
            "standard_library": os.path.realpath(os.path.dirname(os.__file__)),
            "extensions": next((p for p in sys.path if os.path.basename(p) == "lib-dynload" and os.path.isdir(p)), None),
            "site_packages": site_packages() if "packages" in sys.argv[1:] else [],
        }
    )
)
