"""A server whose environment has the tests that environments leave out."""

import contextlib
import os
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path

START_SECONDS = 180
LIMITS = {"memory_mb": 3072, "cpu_ms": 900_000}
CONFIG = """\
state_dir = "{state}"
[server]
port = {port}
body_bytes = 67108864
[limits]
max_timeout_ms = 3600000
max_memory_mb = 4096
processes = 512
stdout_bytes = 268435456
stderr_bytes = 65536
tmp_bytes = 8589934592
tmp_inodes = 100000
[pool]
max_running = {places}
queue_timeout_ms = 3600000
[isolation]
engine = "{engine}"
nsjail = "{nsjail}"
[environments.default]
interpreter = "{python}"
requirements = "{requirements}"
preload = ["numpy", "pandas"]
restricted = []
"""


class Setting:
    """Where everything is: of the program, the interpreter, and the packages."""

    def __init__(self, directory: Path, cellblock: str, python: str) -> None:
        self.directory, self.cellblock, self.python = directory, cellblock, python
        self.config = directory / "cellblock.toml"
        self.packages = directory / "packages"
        paths = "import sysconfig; print(sysconfig.get_path('stdlib'))"
        out = subprocess.check_output([python, "-I", "-S", "-c", paths], text=True)
        self.standard = Path(out.strip())
        self.version = self.standard.name.removeprefix("python")

    def outcomes(self, suite: str) -> Path:
        """Where the outcomes of a suite are kept."""
        return self.directory / f"{suite}.jsonl"

    def prepare(self, requirements: Path, engine: str, port: int, places: int) -> None:
        """Installs the packages, builds the environment, and puts its tests back."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self._install(requirements)
        text = CONFIG.format(
            state=self.directory,
            port=port,
            places=places,
            engine=engine,
            nsjail=os.environ["CELLBLOCK_NSJAIL"],
            python=self.python,
            requirements=requirements,
        )
        self.config.write_text(text)
        self._cellblock("env", "build", "default")
        for image in (self.directory / "environments").glob("default-*"):
            root = image / "root"
            library = root / "python/lib" / self.standard.name
            put_back(self.standard, library, ("site-packages", "config-*", "sitecustomize.py"))
            put_back(self.packages, root / "packages", ("bin", "lock.txt"))

    def _install(self, requirements: Path) -> None:
        """The packages as wheels have them, with their tests: what the plain interpreter uses."""
        lock = self.packages / "lock.txt"
        if lock.exists() and lock.read_bytes() == requirements.read_bytes():
            return
        shutil.rmtree(self.packages, ignore_errors=True)
        options = ["--require-hashes", "--only-binary", ":all:", "--no-warn-script-location"]
        options += ["--quiet", "--disable-pip-version-check", "--root-user-action", "ignore"]
        command = [self.python, "-I", "-m", "pip", "install", *options]
        command += ["--target", str(self.packages), "--requirement", str(requirements)]
        subprocess.run(command, check=True)
        shutil.copy(requirements, lock)

    def _cellblock(self, *arguments: str) -> None:
        command = [self.cellblock, *arguments, "--config", str(self.config)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    @contextlib.contextmanager
    def serving(self, port: int) -> object:
        """A server for as long as the block lasts; its URL."""
        log = open(self.directory / "log", "wb")
        command = [self.cellblock, "serve", "--config", str(self.config)]
        process = subprocess.Popen(command, stdout=log, stderr=log)
        url = f"http://127.0.0.1:{port}"
        try:
            await_ready(url, process)
            yield url
        finally:
            process.terminate()
            process.wait()
            log.close()


def await_ready(url: str, process: subprocess.Popen) -> None:
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(url + "/health").close()
            return
        time.sleep(0.2)
    raise SystemExit("error: the server did not start: see its log in the state directory.")


def put_back(origin: Path, target: Path, without: tuple) -> None:
    """Copies the files that are not there, so that nothing which the build made is changed."""

    def ignored(directory: str, names: list) -> set:
        top = without if Path(directory) == origin else ()
        return shutil.ignore_patterns("__pycache__", *top)(directory, names)

    def copy(source: str, place: str) -> None:
        if not os.path.exists(place):
            shutil.copyfile(source, place)

    shutil.copytree(
        origin,
        target,
        ignore=ignored,
        copy_function=copy,
        dirs_exist_ok=True,
        ignore_dangling_symlinks=True,
    )
