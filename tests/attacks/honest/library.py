"""What an honest script does with the standard library."""

import asyncio
import concurrent.futures
import csv
import datetime
import decimal
import fractions
import glob
import gzip
import hashlib
import io
import json
import mmap
import os
import platform
import random
import re
import resource
import secrets
import select
import shutil
import signal
import sqlite3
import statistics
import tempfile
import threading
import time
import uuid
import zipfile
import zoneinfo


def text_and_numbers():
    assert sorted("hello") == ["e", "h", "l", "l", "o"]
    assert re.sub(r"(\w+) (\w+)", r"\2 \1", "a b") == "b a"
    assert decimal.Decimal("0.1") + decimal.Decimal("0.2") == decimal.Decimal("0.3")
    assert fractions.Fraction(1, 3) * 3 == 1
    assert statistics.median([3, 1, 2]) == 2
    assert hashlib.sha256(b"").hexdigest().startswith("e3b0c442")
    assert random.random() < 1 and secrets.token_bytes(8) and uuid.uuid4()
    assert json.loads(json.dumps({"a": [1, None]})) == {"a": [1, None]}
    assert list(csv.reader(io.StringIO("a,b\n1,2\n"))) == [["a", "b"], ["1", "2"]]
    assert platform.system() == "Linux" and os.cpu_count() > 0


def time_and_zones():
    time.sleep(0.01)
    assert time.monotonic() > 0 and time.process_time() > 0
    try:
        zone = zoneinfo.ZoneInfo("Europe/Paris")
    except zoneinfo.ZoneInfoNotFoundError:
        return  # neither the machine nor the packages have the data
    assert datetime.datetime(2024, 7, 1, tzinfo=zone).utcoffset() == datetime.timedelta(hours=2)


def files():
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "a.txt")
        with open(path, "w+") as file:
            file.write("hello\n" * 1000)
            file.flush()
            os.fsync(file.fileno())
            os.truncate(path, 600)
        with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0) as view:
            view[:5] = b"HELLO"
            view.flush()
        shutil.copy2(path, path + "2")
        shutil.copytree(directory, directory + "b")
        shutil.rmtree(directory + "b")
        os.link(path, path + "3")
        os.symlink(path, path + "4")
        os.rename(path + "3", path + "5")
        os.utime(path, (1e9, 1e9))
        os.chmod(path, 0o600)
        assert len(glob.glob(directory + "/*")) == 4 and os.path.getsize(path) == 600
        with zipfile.ZipFile(os.path.join(directory, "z.zip"), "w") as archive:
            archive.write(path, "a")
        with gzip.open(os.path.join(directory, "z.gz"), "wb") as packed:
            packed.write(b"x" * 1000)
        assert os.statvfs(directory).f_bavail > 0 and shutil.disk_usage(directory).free > 0


def database():
    with sqlite3.connect("data.db") as connection:
        connection.execute("create table t (a, b)")
        connection.executemany("insert into t values (?, ?)", [(n, n * n) for n in range(100)])
    assert connection.execute("select sum(b) from t").fetchone() == (328350,)
    connection.execute("pragma journal_mode = wal")
    connection.close()


def threads():
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda n: n * n, range(8))) == [n * n for n in range(8)]
    done = threading.Event()
    timer = threading.Timer(0.01, done.set)
    timer.start()
    assert done.wait(5)


def processes():
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, b"child")
        os._exit(7)
    assert select.select([read], [], [], 5)[0] and os.read(read, 5) == b"child"
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    poll = select.poll()
    poll.register(write, select.POLLOUT)
    assert poll.poll(100)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 0
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 0


def signals():
    seen = []
    signal.signal(signal.SIGUSR1, lambda *_: seen.append(1))
    os.kill(os.getpid(), signal.SIGUSR1)
    signal.signal(signal.SIGALRM, lambda *_: seen.append(2))
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    signal.pause()
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
    signal.raise_signal(signal.SIGUSR2)
    assert signal.sigwait([signal.SIGUSR2]) == signal.SIGUSR2 and seen == [1, 2]


async def loops():
    async def part(number):
        await asyncio.sleep(0.01)
        return number

    assert await asyncio.gather(*map(part, range(5))) == list(range(5))
    assert await asyncio.get_running_loop().run_in_executor(None, lambda: 3) == 3
    assert await asyncio.wait_for(asyncio.to_thread(lambda: 4), 5) == 4


def main():
    for part in (text_and_numbers, time_and_zones, files, database, threads, processes, signals):
        part()
    asyncio.run(loops())
    return True
