//! The end of a program: what is done once there is a result.

use cellblock_tests::{Case, Text};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = callbacks();
    cases.extend(objects());
    cases.extend(failures());
    cases
}

fn callbacks() -> Vec<Case> {
    vec![
        Case::new(
            "atexit, after the result",
            "
            import atexit
            kept = [1]
            atexit.register(print, 'first')
            @atexit.register
            def last():
                kept.append(2)
                print('last')
            def main():
                print('main')
                return kept
            ",
        )
        .returns("[1]")
        .prints("main\nlast\nfirst\n"),
        Case::new(
            "atexit in mode script",
            "import atexit\natexit.register(print, 'end')\nprint('body')\n5",
        )
        .field("mode", "\"script\"")
        .returns("5")
        .prints("body\nend\n"),
        Case::new(
            "weakref.finalize",
            "
            import weakref
            class Kept: pass
            kept = Kept()
            weakref.finalize(kept, print, 'finalized')
            def main(): return 1
            ",
        )
        .returns("1")
        .prints("finalized\n"),
        Case::new(
            "logging.MemoryHandler",
            "
            import logging, logging.handlers, sys
            target = logging.StreamHandler(sys.stdout)
            logging.getLogger().addHandler(logging.handlers.MemoryHandler(100, target=target))
            def main(): logging.warning('kept')
            ",
        )
        .prints("kept\n"),
        Case::new(
            "nobody is waited for",
            "
            import atexit, concurrent.futures, threading, time
            atexit.register(print, 'end')
            threading.Thread(target=time.sleep, args=(8,)).start()
            pool = concurrent.futures.ThreadPoolExecutor()
            pool.submit(time.sleep, 8)
            def main(): return 1
            ",
        )
        .returns("1")
        .prints("end\n")
        .limits(r#"{"timeout_ms": 7000}"#),
    ]
}

fn objects() -> Vec<Case> {
    let told = |name: &str, statement: &str, told: &str| {
        let script = format!(
            "
            class Told:
                def __del__(self): print({told})
            {statement}
            def main(): return 1
            "
        );
        Case::new(name, &script).returns("1")
    };
    vec![
        told(
            "a module's objects end",
            "kept, name = Told(), 5",
            "'gone', name",
        )
        .prints("gone 5\n"),
        told(
            "those in a cycle too",
            "kept = Told(); kept.me = kept",
            "'gone'",
        )
        .prints("gone\n"),
        Case::new(
            "a file that a library holds",
            "
            import json, os
            json.kept = open(os.dup(1), 'w')
            def main(): json.kept.write('written')
            ",
        )
        .prints("written"),
        Case::new(
            "an open file",
            "
            import os
            kept = open(os.dup(1), 'w')
            def main(): kept.write('written')
            ",
        )
        .prints("written"),
        Case::new(
            "an open file of a forked child",
            "
            import os
            kept = open(os.dup(1), 'w')
            def main():
                child = os.fork()
                if child:
                    os.waitpid(child, 0)
                else:
                    kept.write('written')
                return child == 0
            ",
        )
        .returns("false")
        .prints("written"),
    ]
}

fn failures() -> Vec<Case> {
    let mut cases = vec![
        Case::new(
            "an exit within the end",
            "import atexit, os\natexit.register(os._exit, 3)\ndef main(): return 1",
        )
        .fails("exited")
        .error("exit_code", 3)
        .message("the script ended its process with exit code 3 before it had answered"),
        Case::new(
            "an end beyond the limit",
            "import atexit, time\natexit.register(time.sleep, 60)\ndef main(): return 1",
        )
        .limits(r#"{"timeout_ms": 500}"#)
        .fails("timeout")
        .within(8),
        Case::new(
            "the end after an error",
            "
            import atexit
            atexit.register(print, 'end')
            def main(): 1 / 0
            ",
        )
        .fails("exception")
        .line(3)
        .prints("end\n"),
        Case::new(
            "the end after an exit",
            "
            import atexit, sys
            atexit.register(print, 'end', file=sys.stderr)
            def main(): sys.exit('bye')
            ",
        )
        .fails("exited")
        .error("exit_code", 1)
        .line(3)
        .and(|failure| failure.stderr = Text::is("bye\nend\n")),
    ];
    let changes = ["1 / 0", "raise SystemExit(3)", "raise KeyboardInterrupt"];
    cases.extend(changes.map(|end| {
        Case::new(
            format!("an end with {end} changes nothing"),
            &format!(
                "import atexit\n@atexit.register\ndef end():\n    {end}\ndef main(): return 1"
            ),
        )
        .returns("1")
    }));
    cases
}
