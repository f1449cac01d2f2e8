//! `timeout`, `cpu_limit`, `memory_limit`, `result_too_large`. The server of these cases takes
//! results of 100 000 bytes.

use cellblock_tests::Case;

const SHORT: &str = r#"{"timeout_ms": 300}"#;
const LITTLE_CPU: &str = r#"{"timeout_ms": 20000, "cpu_ms": 300}"#;
const LITTLE_MEMORY: &str = r#"{"memory_mb": 64}"#;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new(
            "a timeout",
            "import time\ndef main():\n    print('a')\n    time.sleep(60)",
        )
        .limits(SHORT)
        .within(10)
        .fails("timeout")
        .message("the script ran longer than its limit of 300 ms")
        .prints("a\n"),
        Case::new("CPU time", "def main():\n    while True: pass")
            .limits(LITTLE_CPU)
            .within(15)
            .fails("cpu_limit")
            .message("the script used more than its limit of 300 ms of CPU time"),
        Case::new(
            "sleeping costs no CPU time",
            "import time\ndef main(): time.sleep(0.5)",
        )
        .limits(r#"{"cpu_ms": 300}"#),
        Case::new("memory", "def main(): return len(bytearray(200 << 20))")
            .limits(LITTLE_MEMORY)
            .fails("memory_limit")
            .and(|failure| failure.any.push("line")),
        Case::new(
            "enough memory",
            "def main(): return len(bytearray(100 << 20))",
        )
        .limits(r#"{"memory_mb": 256}"#)
        .returns("104857600"),
        Case::new("a MemoryError", "def main():\n    raise MemoryError")
            .fails("memory_limit")
            .line(2)
            .message("MemoryError"),
        Case::new(
            "a MemoryError that is caught",
            "
            def main():
                try:
                    bytearray(1 << 60)
                except MemoryError:
                    return 'caught'
            ",
        )
        .returns("\"caught\""),
        Case::new(
            "a result as large as it may be",
            "def main(): return 'x' * 99_998",
        )
        .returns(&format!("\"{}\"", "x".repeat(99_998))),
        Case::new(
            "a result too large",
            "def main():\n    print('a')\n    return 'x' * 99_999",
        )
        .fails("result_too_large")
        .message_has("the limit is 100000")
        .prints("a\n"),
        Case::new(
            "a result far too large",
            "def main(): return ['x' * 1000] * 100_000",
        )
        .fails("result_too_large")
        .message_has("100000"),
    ];
    cases.extend(TIMEOUTS.map(|(name, script)| {
        Case::new(name, script)
            .limits(SHORT)
            .within(10)
            .fails("timeout")
    }));
    cases.extend(BUSY.map(|(name, script)| {
        Case::new(name, script)
            .limits(LITTLE_CPU)
            .within(15)
            .fails("cpu_limit")
    }));
    cases.extend(HUNGRY.map(|(name, script)| {
        Case::new(name, script)
            .limits(LITTLE_MEMORY)
            .fails("memory_limit")
            .and(|failure| failure.any.push("line"))
    }));
    cases
}

const TIMEOUTS: [(&str, &str); 5] = [
    (
        "in the module body",
        "import time\ntime.sleep(60)\ndef main(): pass",
    ),
    (
        "awaiting",
        "import asyncio\nasync def main(): await asyncio.sleep(60)",
    ),
    (
        "waiting for a child",
        "import os, time\ndef main():\n    if os.fork() == 0: time.sleep(60)\n    os.wait()",
    ),
    (
        "reading an empty pipe",
        "import os\ndef main(): os.read(os.pipe()[0], 1)",
    ),
    (
        "with every signal ignored",
        "
        import signal, time
        def main():
            for number in range(1, signal.NSIG):
                try:
                    signal.signal(number, signal.SIG_IGN)
                except (OSError, ValueError):
                    pass
            while True:
                time.sleep(1)
        ",
    ),
];

const BUSY: [(&str, &str); 4] = [
    ("in the module body", "while True: pass\ndef main(): pass"),
    (
        "in one long call of native code",
        "def main(): return 3 ** (3 ** 20)",
    ),
    (
        "in several processes",
        "
        import os
        def main():
            for _ in range(3):
                if os.fork() == 0:
                    while True: pass
            os.wait()
        ",
    ),
    (
        "in a chain of processes that each use little",
        "
        import os, time
        def main():
            while True:
                child = os.fork()
                if child == 0:
                    end = time.process_time() + 0.03
                    while time.process_time() < end: pass
                    os._exit(0)
                os.waitpid(child, 0)
        ",
    ),
];

const HUNGRY: [(&str, &str); 4] = [
    (
        "step by step",
        "def main():\n    kept = []\n    while True: kept.append(bytearray(1 << 20))",
    ),
    (
        "small objects",
        "def main():\n    kept = []\n    while True: kept.append([])",
    ),
    (
        "an array",
        "import numpy\ndef main():\n    return numpy.ones(40 << 20).sum()",
    ),
    (
        "with every MemoryError swallowed",
        "
        def main():
            kept = []
            while True:
                try:
                    kept.append(bytearray(1 << 20))
                except MemoryError:
                    raise
        ",
    ),
];
