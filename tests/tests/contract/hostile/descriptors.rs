//! Descriptors closed, written to, duplicated and held open.

use cellblock_tests::{Answer, Case};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new(
            "junk on every descriptor",
            "
            import os
            def main():
                for fd in range(3, 4096):
                    try:
                        os.write(fd, b'{\"result\": 666}\\n' * 100)
                    except OSError:
                        pass
                return 1
            ",
        )
        .returns("1"),
        Case::new(
            "much junk on every descriptor",
            "
            import os
            def main():
                open_ones = [int(name) for name in os.listdir('/proc/self/fd') if int(name) > 2]
                while True:
                    for fd in open_ones:
                        try:
                            os.set_blocking(fd, False)
                            os.write(fd, b'x' * 30)
                        except OSError:
                            pass
            ",
        )
        .limits(r#"{"timeout_ms": 3000, "cpu_ms": 60000}"#)
        .fails_either(&["timeout", "result_too_large"]),
        Case::new(
            "a child that holds stdout",
            "
            import os, time
            def main():
                if os.fork() == 0:
                    time.sleep(100)
                return 1
            ",
        )
        .returns("1"),
        Case::new(
            "a child that holds every descriptor and ignores signals",
            "
            import os, signal, time
            def main():
                if os.fork() == 0:
                    os.setsid()
                    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                        signal.signal(number, signal.SIG_IGN)
                    if os.fork() == 0:
                        while True: time.sleep(1)
                    os._exit(0)
                return 1
            ",
        )
        .returns("1"),
        Case::new(
            "a thread that prints for ever",
            "
            import threading
            def chat():
                while True:
                    print('x' * 99)
            def main():
                threading.Thread(target=chat, daemon=True).start()
                return 1
            ",
        )
        .checked(returns_1),
        Case::new(
            "a child that prints for ever",
            "
            import os
            def main():
                if os.fork() == 0:
                    while True:
                        os.write(1, b'x' * 99 + b'\\n')
                return 1
            ",
        )
        .checked(returns_1),
        Case::new(
            "os._exit in a thread",
            "
            import os, threading, time
            def main():
                threading.Thread(target=os._exit, args=(9,)).start()
                time.sleep(100)
            ",
        )
        .fails("exited")
        .error("exit_code", 9),
        Case::new(
            "stdout closed",
            "
            import os, sys
            def main():
                print('a')
                os.close(1)
                try:
                    print('b')
                except OSError as error:
                    return error.errno
            ",
        )
        .returns("9")
        .prints("a\n"),
    ];
    cases.extend(CLOSED.map(|statement| {
        let script = format!("import os\ndef main():\n    {statement}\n    return 1\n");
        // The way back may be closed too: then the process ends without an answer.
        Case::new(statement, &script).checked(|answer| {
            if answer.error_type() == "exited" {
                Ok(())
            } else {
                returns_1(answer)
            }
        })
    }));
    cases.extend(HELD.iter().map(|case| case().within(5)));
    cases
}

fn returns_1(answer: &Answer) -> Result<(), String> {
    let good = answer.status == 200 && answer.json()["result"] == 1;
    if good {
        Ok(())
    } else {
        Err("the result is not 1".to_owned())
    }
}

const CLOSED: [&str; 5] = [
    "os.closerange(0, 3)",
    "os.closerange(0, 256)",
    "os.closerange(3, 65536)",
    "[os.dup2(1, fd) for fd in range(2, 256)]",
    "[os.dup2(file, fd) for file in [os.open('x', os.O_CREAT | os.O_RDWR)] for fd in range(256)]",
];

/// What must not delay the answer, with a bound of its own.
const HELD: [fn() -> Case; 2] = [
    || {
        Case::new(
            "an answer at once: child",
            "import os, time\ndef main():\n    if os.fork() == 0: time.sleep(100)\n    return 1",
        )
        .returns("1")
    },
    || {
        Case::new(
            "an answer at once: thread",
            "import threading, time\ndef main():\n    threading.Thread(target=time.sleep, args=(100,)).start()\n    return 1",
        )
        .returns("1")
    },
];
