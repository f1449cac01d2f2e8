//! `restricted_import`: by every route, and for the script alone.

use cellblock_tests::Case;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new("the whole answer", "x = 1\nimport socket\ndef main(): pass")
            .fails("restricted_import")
            .message(&format!("import of 'socket' is restricted: {NETWORK}"))
            .error("module", "socket")
            .line(2)
            .traceback(&format!(
                "
                Traceback (most recent call last):
                  File \"script.py\", line 2, in <module>
                    import socket
                RestrictedImportError: import of 'socket' is restricted: {NETWORK}
                "
            )),
        restricted("inside main", "def main():\n    import ctypes", "ctypes", 2),
        restricted(
            "inside async main",
            "async def main():\n    import ctypes",
            "ctypes",
            2,
        ),
        restricted(
            "in a callback",
            "def f(x):\n    import socket\ndef main(): sorted([1], key=f)",
            "socket",
            2,
        ),
        restricted(
            "in a module of the client's",
            "import helper\ndef main():\n    helper.f()",
            "socket",
            3,
        )
        .field(
            "files",
            r#"[{"path": "helper.py", "text": "def f():\n    import socket\n"}]"#,
        ),
        Case::new(
            "it can be caught",
            "
            try:
                import socket
            except ImportError as error:
                caught = [type(error).__name__, error.name]
            def main():
                return caught
            ",
        )
        .returns(r#"["RestrictedImportError","socket"]"#),
    ];
    cases.extend(routes().map(|(script, module)| restricted(script, script, module, 1)));
    cases.extend(
        MODULES
            .iter()
            .map(|module| restricted(module, &format!("import {module}"), module, 1)),
    );
    cases.extend(
        ALLOWED.iter().map(|source| {
            Case::new(*source, &format!("{source}\ndef main(): return 1")).returns("1")
        }),
    );
    cases
}

fn restricted(name: &str, script: &str, module: &str, line: u32) -> Case {
    Case::new(format!("restricted: {name}"), script)
        .fails("restricted_import")
        .message(&format!(
            "import of '{module}' is restricted: {}",
            why(module)
        ))
        .error("module", module)
        .line(line)
}

const PROGRAMS: &str = "a sandbox runs no other program; call a Python library instead";
const NETWORK: &str =
    "there is no network in a sandbox; send what the script needs as `input` or in `files`";
const NATIVE: &str =
    "a script calls no native code by itself; import a package that wraps the code instead";

/// What the message says of a module.
fn why(module: &str) -> &'static str {
    match module {
        "subprocess" | "pty" => PROGRAMS,
        "ctypes" | "_ctypes" | "cffi" => NATIVE,
        _ => NETWORK,
    }
}

/// The least that the default list has.
const MODULES: [&str; 15] = [
    "subprocess",
    "socket",
    "_socket",
    "ssl",
    "ctypes",
    "_ctypes",
    "cffi",
    "pty",
    "http.client",
    "http.server",
    "urllib.request",
    "ftplib",
    "smtplib",
    "socketserver",
    "xmlrpc.client",
];

/// What libraries need internally, and neighbours of what is restricted.
const ALLOWED: [&str; 6] = [
    "import numpy, pandas",
    "import asyncio, concurrent.futures, logging.handlers, urllib.error",
    "import urllib.parse, http\nfrom urllib import parse",
    "import multiprocessing, multiprocessing.pool, multiprocessing.dummy",
    "import uuid; uuid.uuid1()",
    "import importlib; importlib.import_module('json')",
];

fn routes() -> impl Iterator<Item = (&'static str, &'static str)> {
    [
        ("import socket as s", "socket"),
        ("import json, socket", "socket"),
        ("from socket import AF_UNIX", "socket"),
        ("from socket import *", "socket"),
        ("from urllib import parse, request", "urllib.request"),
        ("from http.client import HTTPConnection", "http.client"),
        ("__import__('socket')", "socket"),
        (
            "__import__('urllib', fromlist=['request'])",
            "urllib.request",
        ),
        ("import builtins; builtins.__import__('socket')", "socket"),
        (
            "import importlib; importlib.import_module('socket')",
            "socket",
        ),
        (
            "import importlib; importlib.import_module('.client', 'http')",
            "http.client",
        ),
        ("import importlib; importlib.__import__('socket')", "socket"),
        ("exec('import socket')", "socket"),
        ("exec('import socket', {})", "socket"),
        ("eval(\"__import__('socket')\")", "socket"),
        (
            "exec(compile('import socket', '<made up>', 'exec'))",
            "socket",
        ),
    ]
    .into_iter()
}
