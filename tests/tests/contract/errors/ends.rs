//! `exited` and `crashed`: the process ended before there was a result.

use cellblock_tests::{Case, Text};

pub(super) fn cases() -> Vec<Case> {
    let exits = [
        ("import sys\ndef main(): sys.exit(3)", 3),
        ("import sys\nsys.exit(3)", 3),
        ("import sys\ndef main(): sys.exit()", 0),
        ("import sys\ndef main(): sys.exit(-1)", 255),
        ("import sys\ndef main(): sys.exit(256)", 0),
        ("def main(): exit()", 0),
        ("def main(): exit(4)", 4),
        ("def main(): quit(4)", 4),
        ("def main(): raise SystemExit(5)", 5),
        ("import sys\nasync def main(): sys.exit(6)", 6),
        ("import os\ndef main(): os._exit(7)", 7),
        ("import os\nos._exit(0)", 0),
    ];
    let crashes = [
        (
            "SIGSEGV",
            "import os, signal\ndef main(): os.kill(os.getpid(), signal.SIGSEGV)",
        ),
        (
            "SIGKILL",
            "import os, signal\ndef main(): os.kill(os.getpid(), signal.SIGKILL)",
        ),
        (
            "SIGTERM",
            "import os, signal\ndef main(): os.kill(os.getpid(), signal.SIGTERM)",
        ),
        (
            "SIGBUS",
            "import os, signal\ndef main(): os.kill(os.getpid(), signal.SIGBUS)",
        ),
        ("SIGABRT", "import os\ndef main(): os.abort()"),
        ("SIGABRT", "import os\nos.abort()"),
        (
            "SIGSEGV",
            "import numpy\ndef main():\n    a = numpy.lib.stride_tricks.as_strided(\n        \
             numpy.zeros(1), (1 << 40,), (8,))\n    return a[1 << 39]",
        ),
    ];
    let mut cases = vec![
        Case::new(
            "an exit with a text",
            "import sys\ndef main(): sys.exit('bye')",
        )
        .fails("exited")
        .error("exit_code", 1)
        .and(|failure| {
            failure.any.push("line");
            failure.stderr = Text::is("bye\n");
        }),
        Case::new(
            "what was printed before",
            "import os\ndef main():\n    print('a')\n    os.write(2, b'b')\n    os._exit(1)",
        )
        .fails("exited")
        .error("exit_code", 1)
        .prints("a\n")
        .and(|failure| failure.stderr = Text::is("b")),
        Case::new(
            "a fault in native code",
            "
            import ctypes
            def main():
                ctypes.string_at(1)
            ",
        )
        .field("environment", "\"plain\"")
        .fails("crashed")
        .error("signal", "SIGSEGV"),
        Case::new(
            "a child's crash is the child's",
            "
            import os, signal
            def main():
                child = os.fork()
                if child == 0:
                    os.kill(os.getpid(), signal.SIGSEGV)
                return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            ",
        )
        .returns("-11"),
    ];
    cases.extend(exits.map(|(script, code)| {
        Case::new(format!("exited: {script}"), script)
            .fails("exited")
            .error("exit_code", code)
            .message_has(&format!("code {code}"))
            .and(|failure| failure.any.push("line"))
    }));
    cases.extend(crashes.map(|(signal, script)| {
        Case::new(format!("crashed: {script}"), script)
            .fails("crashed")
            .error("signal", signal)
            .message_has(signal)
    }));
    cases
}
