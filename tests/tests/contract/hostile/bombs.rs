//! Too much of everything: processes, threads, memory, files, output, time.

use cellblock_tests::{Case, Text};

const SECOND: &str = r#"{"timeout_ms": 1000, "cpu_ms": 60000}"#;
const LITTLE_MEMORY: &str = r#"{"timeout_ms": 10000, "cpu_ms": 60000, "memory_mb": 64}"#;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new(
            "a fork bomb",
            "
            import os
            def main():
                while True:
                    try:
                        os.fork()
                    except OSError:
                        pass
            ",
        )
        .limits(SECOND)
        .fails("timeout"),
        Case::new(
            "a fork bomb of sleepers",
            "
            import os, time
            def main():
                while True:
                    if os.fork() == 0:
                        time.sleep(100)
            ",
        )
        .limits(r#"{"cpu_ms": 60000}"#)
        .fails("exception")
        .line(4)
        .message_has("BlockingIOError")
        .hint("as many processes and threads as it may"),
        Case::new(
            "a thread bomb",
            "
            import threading, time
            def main():
                while True:
                    threading.Thread(target=time.sleep, args=(100,)).start()
            ",
        )
        .fails("exception")
        .line(4)
        .message("RuntimeError: can't start new thread")
        .hint("as many processes and threads as it may"),
        Case::new(
            "a full /tmp",
            "
            def main():
                for n in range(1000):
                    with open(f'{n}', 'wb') as file:
                        file.write(bytes(1 << 20))
            ",
        )
        .fails("exception")
        .message_has("No space left on device")
        .and(|failure| failure.any.push("line")),
        Case::new(
            "too many files",
            "
            def main():
                for n in range(100_000):
                    open(f'{n}', 'w').close()
            ",
        )
        .fails("exception")
        .line(3)
        .message_has("No space left on device"),
        Case::new(
            "a file too large",
            "
            def main():
                with open('a', 'wb') as file:
                    file.truncate(1 << 40)
            ",
        )
        .fails("exception")
        .line(3)
        .message("OSError: [Errno 27] File too large"),
        Case::new(
            "too many open files",
            "
            def main():
                kept = [open('a', 'w')]
                while True:
                    kept.append(open('a'))
            ",
        )
        .fails("exception")
        .line(4)
        .message("OSError: [Errno 24] Too many open files: 'a'"),
        Case::new(
            "nameless files in memory",
            "
            import os
            def main():
                os.write(os.memfd_create('x'), b'x' * (10 << 20))
            ",
        )
        .fails("exception")
        .line(3)
        .message_has("PermissionError")
        .hint("the sandbox refuses this system call"),
        flood("200 MB of output", "range(1600)")
            .limits(r#"{"timeout_ms": 60000}"#)
            .within(60).returns("5").prints(&"x".repeat(1000)).cut(),
        flood("output without end", "iter(int, 1)")
            .limits(r#"{"timeout_ms": 1000, "cpu_ms": 60000}"#)
            .fails("timeout")
            .and(|failure| {
                failure.stdout = Text::is("x".repeat(1000));
                failure.stderr = Text::is("x".repeat(1000));
                failure.truncated = Some(vec!["stdout", "stderr"].into());
            }),
        Case::new("no end of recursion", "def main(): return main()")
            .fails("exception")
            .line(1)
            .message_has("RecursionError"),
        Case::new(
            "no limit of recursion",
            "import sys\nsys.setrecursionlimit(2**31 - 1)\ndef f(x): return [f(y) for y in [x]]\ndef main(): f(1)",
        )
        .limits(LITTLE_MEMORY)
        .fails_either(&["crashed", "memory_limit", "exception"])
        .and(|failure| failure.any.extend(["line", "signal"])),
        Case::new("a number too large", "def main(): return 10 ** 10 ** 10")
            .limits(r#"{"timeout_ms": 1000, "memory_mb": 64}"#)
            .fails_either(&["cpu_limit", "timeout", "memory_limit"])
            .and(|failure| failure.any.push("line")),
    ];
    cases.extend(HUNGRY.map(|(name, script)| {
        Case::new(name, script)
            .limits(LITTLE_MEMORY)
            .fails("memory_limit")
            .and(|failure| failure.any.push("line"))
    }));
    cases
}

fn flood(name: &str, rounds: &str) -> Case {
    let script = format!(
        "import os\ndef main():\n    for _ in {rounds}:\n        os.write(1, b'x' * 65536)\n        \
         os.write(2, b'x' * 65536)\n    return 5\n"
    );
    Case::new(name, &script)
}

/// More memory than there may be, where it is not one process' own allocation.
const HUNGRY: [(&str, &str); 3] = [
    (
        "children that together are too large",
        "
        import os, time
        def main():
            for _ in range(20):
                if os.fork() == 0:
                    kept = b'x' * (10 << 20)
                    time.sleep(100)
            while True:
                os.wait()
        ",
    ),
    (
        "shared mappings",
        "
        import mmap
        def main():
            kept = []
            while True:
                kept.append(mmap.mmap(-1, 10 << 20))
                kept[-1].write(b'x' * (10 << 20))
        ",
    ),
    (
        "a child that is too large",
        "
        import os
        def main():
            if os.fork() == 0:
                kept = []
                while True:
                    kept.append(b'x' * (1 << 20))
            os.wait()
            return 'survived'
        ",
    ),
];
