//! The cases: each a script and what becomes of it.

use super::cases::{
    Case,
    Expect::{self, Anything, Disconnect, Fails, New, Result as Gives},
    Kind::{self, Failing, Honest, Hostile},
};

const SHORT: &str = r#"{"timeout_ms": 250}"#;
const LITTLE_CPU: &str = r#"{"timeout_ms": 60000, "cpu_ms": 150}"#;
const LITTLE_MEMORY: &str = r#"{"memory_mb": 48, "timeout_ms": 60000}"#;
/// Nobody is to run into a limit because the machine is busy.
const AMPLE: &str = r#"{"timeout_ms": 60000, "memory_mb": 512}"#;

const fn case(
    kind: Kind,
    weight: usize,
    name: &'static str,
    script: &'static str,
    expect: Expect,
) -> Case {
    Case {
        kind,
        name,
        script,
        limits: AMPLE,
        expect,
        weight,
    }
}

/// All cases.
pub fn all() -> Vec<Case> {
    [&HONEST[..], &FAILING, &HOSTILE].concat()
}

const HONEST: [Case; 7] = [
    case(
        Honest,
        30,
        "trivial",
        "def main():\n    return {'a': 1}",
        Gives(r#"{"a": 1}"#),
    ),
    case(
        Honest,
        20,
        "pandas",
        crate::scripts::IMPORTS.source,
        Gives(r#"{"numpy": "numpy", "pandas": "pandas"}"#),
    ),
    case(
        Honest,
        8,
        "groupby",
        include_str!("scripts/groupby.py"),
        Gives("[[\"a\", 4.0], [\"b\", 2.0]]"),
    ),
    case(
        Honest,
        10,
        "input",
        "def main(value):\n    return value[::-1]",
        Gives(r#"["two", 1]"#),
    ),
    case(
        Honest,
        10,
        "nothing shared",
        include_str!("scripts/shared.py"),
        Gives("[]"),
    ),
    case(
        Honest,
        10,
        "randomness",
        include_str!("scripts/randomness.py"),
        New,
    ),
    case(
        Honest,
        5,
        "100 kB of stdout",
        "def main():\n    print('x' * 100_000)",
        Gives("null"),
    ),
];

const FAILING: [Case; 9] = [
    case(
        Failing,
        5,
        "exception",
        "def main():\n    return 1 / 0",
        Fails("exception"),
    ),
    case(
        Failing,
        3,
        "syntax error",
        "def main(:\n",
        Fails("syntax_error"),
    ),
    case(Failing, 3, "no main", "x = 1", Fails("missing_main")),
    case(
        Failing,
        3,
        "not JSON",
        "def main():\n    return {1, 2}",
        Fails("result_not_json"),
    ),
    case(
        Failing,
        3,
        "exit",
        "import sys\ndef main():\n    sys.exit(3)",
        Fails("exited"),
    ),
    case(
        Failing,
        3,
        "restricted import",
        "import socket\ndef main(): pass",
        Fails("restricted_import"),
    ),
    case(
        Failing,
        3,
        "no end",
        "import time\ndef main():\n    time.sleep(60)",
        Fails("timeout"),
    )
    .limits(SHORT),
    case(
        Failing,
        3,
        "broken request",
        "{\"script\": ",
        Fails("invalid_request"),
    ),
    case(
        Failing,
        1,
        "result too large",
        "def main():\n    return 'x' * (9 << 20)",
        Fails("result_too_large"),
    ),
];

const HOSTILE: [Case; 12] = [
    case(
        Hostile,
        2,
        "busy",
        "def main():\n    while True: pass",
        Fails("cpu_limit"),
    )
    .limits(LITTLE_CPU),
    case(
        Hostile,
        2,
        "memory",
        "def main():\n    kept = []\n    while True: kept.append(bytearray(1 << 20))",
        Fails("memory_limit"),
    )
    .limits(LITTLE_MEMORY),
    case(
        Hostile,
        1,
        "fork bomb",
        include_str!("scripts/bomb.py"),
        Fails("timeout"),
    )
    .limits(r#"{"timeout_ms": 250, "memory_mb": 1024, "cpu_ms": 60000}"#),
    case(
        Hostile,
        2,
        "full disk",
        include_str!("scripts/disk.py"),
        Gives("\"full\""),
    ),
    case(
        Hostile,
        1,
        "flood of stdout",
        "import os\ndef main():\n    for _ in range(160): os.write(1, b'x' * 65536)\n    return 'done'",
        Gives("\"done\""),
    ),
    case(
        Hostile,
        2,
        "suicide",
        "import os\ndef main():\n    os.kill(os.getpid(), 9)",
        Fails("crashed"),
    ),
    case(
        Hostile,
        2,
        "fault",
        "import os\ndef main():\n    os.kill(os.getpid(), 11)",
        Fails("crashed"),
    ),
    case(
        Hostile,
        2,
        "kill all",
        "import os\ndef main():\n    os.kill(-1, 9)\n    return 1",
        Anything,
    ),
    case(
        Hostile,
        2,
        "close all",
        "import os\ndef main():\n    os.closerange(0, 65536)\n    return 1",
        Anything,
    ),
    case(
        Hostile,
        2,
        "left behind",
        include_str!("scripts/orphan.py"),
        Gives("\"gone\""),
    ),
    case(
        Hostile,
        2,
        "deaf",
        include_str!("scripts/deaf.py"),
        Fails("timeout"),
    )
    .limits(SHORT),
    case(
        Hostile,
        4,
        "goes away",
        "import time\ndef main():\n    time.sleep(20)",
        Disconnect,
    ),
];
