//! What the runner might use, replaced: only the script's own answer can suffer, and here it does
//! not even that.

use cellblock_tests::Case;

pub(super) fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = REPLACED
        .iter()
        .map(|statements| {
            let lines = statements.replace('\n', "\n    ");
            let script = format!("def main():\n    {lines}\n    return {{'a': [1, 2.5, 'x']}}\n");
            Case::new(format!("replaced: {statements}"), &script).returns(r#"{"a":[1,2.5,"x"]}"#)
        })
        .collect();
    cases.extend([
        Case::new(
            "a forged result in the output",
            r#"
            import os
            def main():
                os.write(1, b'{"result": 1, "stdout": ""}\n')
                return 2
            "#,
        )
        .returns("2")
        .prints("{\"result\": 1, \"stdout\": \"\"}\n"),
        Case::new(
            "a result that runs code",
            "
            class D(dict):
                def items(self):
                    import os
                    os._exit(4)
            def main():
                return D(a=1)
            ",
        )
        .fails("exited")
        .error("exit_code", 4),
        Case::new(
            "a result that never ends",
            "
            class D(dict):
                def items(self):
                    while True: pass
            def main():
                return D(a=1)
            ",
        )
        .limits(r#"{"timeout_ms": 500, "cpu_ms": 60000}"#)
        .fails("timeout"),
        Case::new(
            "a handler that keeps raising",
            "
            import signal
            def main():
                def handler(*_):
                    raise ValueError('again')
                signal.signal(signal.SIGALRM, handler)
                signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
                while True: pass
            ",
        )
        .fails("exception")
        .message("ValueError: again")
        .line(4),
    ]);
    cases
}

const REPLACED: [&str; 15] = [
    "import json\njson.dumps = json.loads = json.JSONEncoder = None",
    "import sys\nsys.modules.clear()",
    "import sys\nsys.stdout = sys.stderr = sys.__stdout__ = None",
    "import sys\nclass Bad:\n    def flush(self): raise SystemExit(3)\nsys.stdout = Bad()",
    "import os\nos.write = os.read = os._exit = lambda *a: 1 / 0",
    "import builtins\nbuiltins.len = builtins.isinstance = builtins.type = builtins.dict = None",
    "import builtins\nvars(builtins).update(dict.fromkeys(vars(builtins)))",
    "import builtins\nvars(builtins).clear()",
    "globals().clear()",
    "import sys\nsys.settrace(lambda *a: 1 / 0)",
    "import sys\nsys.setrecursionlimit(60)",
    "import gc\ngc.callbacks.append(lambda *a: 1 / 0)\ngc.set_threshold(1)",
    "import atexit\natexit.register(lambda: 1 / 0)",
    "import sys\nsys.excepthook = sys.unraisablehook = lambda *a: 1 / 0",
    "import sys\nfor frame in sys._current_frames().values():\n    while frame:\n        frame.f_globals.pop('os', None)\n        frame = frame.f_back",
];
