//! `hint`: what to do about an exception that comes of the sandbox, and none of any other.

use cellblock_tests::Case;

pub(super) fn cases() -> Vec<Case> {
    let hinted = NETWORK
        .iter()
        .map(|script| (*script, "there is no network in a sandbox"))
        .chain(PROGRAMS.map(|script| (script, "a sandbox runs no other program")))
        .chain(OTHERS);
    let mut cases: Vec<_> = hinted
        .map(|(script, hint)| {
            plain(script)
                .fails("exception")
                .hint(hint)
                .and(|failure| failure.any.push("line"))
        })
        .collect();
    cases.extend(WITHOUT.map(|script| {
        plain(script)
            .fails("exception")
            .and(|failure| failure.any.push("line"))
    }));
    cases.extend([
        Case::new(
            "hint: a library's error, by what led to it",
            "import pandas\ndef main(): return pandas.read_csv('https://example.com/a.csv')",
        )
        .fails("exception")
        .line(2)
        .message_has("URLError: <urlopen error [Errno -")
        .hint("there is no network in a sandbox"),
        Case::new(
            "hint: a library that looks for a file",
            "import pandas\ndef main(): return pandas.read_csv('data.csv')",
        )
        .fails("exception")
        .line(2)
        .hint("the files that the request sends in `files`"),
        Case::new(
            "hint: another that looks for a file",
            "import numpy\ndef main(): return numpy.loadtxt('data.csv')",
        )
        .fails("exception")
        .line(2)
        .message("FileNotFoundError: data.csv not found.")
        .hint("the files that the request sends in `files`"),
        Case::new(
            "hint: a callback, which has nothing to do with the limit of memory",
            "
            from numpy import ctypeslib
            def main():
                callback = ctypeslib.ctypes.CFUNCTYPE(None)
                return callback(print)
            ",
        )
        .fails("exception")
        .line(4)
        .message("MemoryError")
        .hint("there is no executable memory in a sandbox"),
        plain("import ctypes\nkind = ctypes.CFUNCTYPE(None)\ndef main(): return bytes(10 ** 15)")
            .fails("memory_limit")
            .line(3),
    ]);
    cases
}

/// In the environment where nothing is restricted: it is the kernel that refuses.
fn plain(script: &str) -> Case {
    Case::new(format!("hint: {script}"), script).field("environment", "\"plain\"")
}

const NETWORK: [&str; 9] = [
    "import socket\ndef main(): socket.socket()",
    "import socket\ndef main(): socket.create_connection(('192.0.2.1', 80))",
    "import socket\ndef main(): socket.gethostbyname('example.com')",
    "import urllib.request\ndef main(): urllib.request.urlopen('http://192.0.2.1/')",
    "import urllib.request\ndef main(): urllib.request.urlopen('http://example.com/')",
    "import http.client\ndef main(): http.client.HTTPSConnection('example.com').request('GET', '/')",
    "import smtplib\ndef main(): smtplib.SMTP('example.com')",
    "import asyncio\nasync def main(): await asyncio.open_connection('192.0.2.1', 80)",
    "import requests",
];

const PROGRAMS: [&str; 9] = [
    "import subprocess\ndef main(): subprocess.run(['ls'])",
    "import subprocess\ndef main(): subprocess.check_output('ls', shell=True)",
    "import os\ndef main(): os.popen('ls')",
    "import os\ndef main(): os.execv('/bin/ls', ['ls'])",
    "import os\ndef main(): os.execvp('ls', ['ls'])",
    "import os\ndef main(): os.posix_spawn('/bin/ls', ['ls'], {})",
    "import asyncio\nasync def main(): await asyncio.create_subprocess_exec('ls')",
    "import subprocess, sys\ndef main(): subprocess.run([sys.executable, '-m', 'pip'])",
    "
    import subprocess
    def main():
        try:
            subprocess.run(['ls'])
        except OSError as error:
            raise ValueError('no list') from error
    ",
];

const OTHERS: [(&str, &str); 21] = [
    ("def main(): open('/etc/x', 'w')", WRITES),
    ("import os\ndef main(): os.mkdir('/srv')", WRITES),
    (
        "import shutil, sys\ndef main(): shutil.copy(sys.executable, '/python/x')",
        WRITES,
    ),
    ("def main(): open('/srv/data/a.csv')", MACHINE),
    ("def main(): open('/srv/data/a.csv', 'w')", MACHINE),
    ("import os\ndef main(): os.listdir('/srv')", MACHINE),
    ("def main(): open('data.csv')", FILES),
    ("def main(): open('/tmp/data.csv')", FILES),
    (
        "import pathlib\ndef main(): pathlib.Path('data.csv').read_text()",
        FILES,
    ),
    (
        "import zipfile\ndef main(): zipfile.ZipFile('data.zip')",
        FILES,
    ),
    ("import nosuch.part", "'nosuch' is not in this environment"),
    ("import os\ndef main(): os.memfd_create('x')", REFUSES),
    ("import os\ndef main(): os.setuid(1)", REFUSES),
    ("import os\ndef main(): os.chroot('/')", REFUSES),
    ("import os\ndef main(): os.nice(1)", REFUSES),
    ("import os\ndef main(): os.kill(1, 9)", REFUSES),
    ("import pty\ndef main(): pty.openpty()", "no terminal"),
    (
        "import mmap\ndef main(): mmap.mmap(-1, 4096, prot=mmap.PROT_EXEC)",
        "no executable memory",
    ),
    (
        "import ctypes\ndef main(): ctypes.CFUNCTYPE(None)(print)",
        "no executable memory",
    ),
    (
        "import ctypes\nkind = ctypes.PYFUNCTYPE(None)\ndef main(): kind(print)",
        "no executable memory",
    ),
    ("def main(): input()", "the request's `stdin`"),
];
const WRITES: &str = "write only below HOME";
const MACHINE: &str = "none of the machine's files";
const FILES: &str = "the files that the request sends in `files`";
const REFUSES: &str = "the sandbox refuses this system call";

/// What a script can meet anywhere.
const WITHOUT: [&str; 13] = [
    "def main(): raise PermissionError(1, 'not for you')",
    "def main(): raise OSError",
    "def main(): raise FileNotFoundError('no such thing')",
    "import os\ndef main(): os.remove('x')",
    "def main(): open('nosuch/a.csv', 'w')",
    "import os\ndef main(): open(os.path.dirname(os.__file__) + '/nosuch')",
    "import json.nosuch",
    "import os\ndef main():\n    os.mkdir('a')\n    os.mkdir('a')",
    "import os\ndef main():\n    r, w = os.pipe()\n    os.set_blocking(r, False)\n    os.read(r, 1)",
    "import os\ndef main():\n    open('a', 'w').close()\n    os.chmod('a', 0)\n    open('a')",
    "import queue\ndef main(): queue.Queue().get(timeout=0.01)",
    "import asyncio\nasync def main(): await asyncio.wait_for(asyncio.sleep(9), 0.01)",
    "def main():\n    try:\n        open('data.csv')\n    except OSError:\n        1 / 0",
];
