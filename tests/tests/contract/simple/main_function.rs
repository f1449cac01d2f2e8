//! How `main` is found and called.

use cellblock_tests::Case;

const INPUT: &str = r#"{"n":7}"#;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new(
            "the seed's request",
            "def main():\n    return {'message': 'Hello from sandbox!'}",
        )
        .returns(r#"{"message":"Hello from sandbox!"}"#),
        Case::new(
            "async",
            "
            import asyncio
            async def main(x):
                await asyncio.sleep(0.01)
                print('slept')
                return x
            ",
        )
        .input("5")
        .returns("5")
        .prints("slept\n"),
        Case::new(
            "async, called",
            "async def f(): return 5\ndef main(): return f()",
        )
        .returns("5"),
        Case::new(
            "gathered",
            "
            import asyncio
            async def one(n):
                await asyncio.sleep(0.01 * n)
                return n
            async def main():
                return await asyncio.gather(*(one(n) for n in (3, 1, 2)))
            ",
        )
        .returns("[3,1,2]"),
        Case::new("no input is null", "def main(x): return [x]").returns("[null]"),
        Case::new(
            "a thread may run",
            "
            import threading
            def main():
                got = []
                thread = threading.Thread(target=lambda: got.append(1))
                thread.start()
                thread.join()
                return got
            ",
        )
        .returns("[1]"),
        Case::new(
            "a forked child may run",
            "
            import os
            def main():
                child = os.fork()
                if child == 0:
                    os.write(1, b'child\\n')
                    os._exit(7)
                return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            ",
        )
        .returns("7")
        .prints("child\n"),
        Case::new(
            "a forked child that comes back answers nothing",
            "
            import os
            def main():
                child = os.fork()
                if child:
                    os.waitpid(child, 0)
                return child == 0
            ",
        )
        .returns("false"),
    ];
    cases.extend(calls().map(|(script, result)| {
        Case::new(format!("called: {script}"), script)
            .input(INPUT)
            .returns(result)
    }));
    cases.extend(missing().map(|(script, message)| {
        Case::new(format!("no main: {script}"), script)
            .fails("missing_main")
            .message(message)
    }));
    cases
}

fn calls() -> impl Iterator<Item = (&'static str, &'static str)> {
    [
        ("def main(): return 1", "1"),
        ("def main(x): return x", INPUT),
        ("def main(x=None): return x", INPUT),
        ("def main(x, y=2): return [x, y]", r#"[{"n":7},2]"#),
        ("def main(*x): return x", r#"[{"n":7}]"#),
        ("def main(x, /): return x", INPUT),
        ("def main(*, k=1): return k", "1"),
        ("def main(**k): return k", "{}"),
        ("main = lambda: 5", "5"),
        ("main = len", "1"),
        (
            "class M:\n def __call__(self, x): return x\nmain = M()",
            INPUT,
        ),
        ("class M:\n def m(self): return 5\nmain = M().m", "5"),
        (
            "import functools\ndef f(a, b): return [a, b]\nmain = functools.partial(f, 1)",
            r#"[1,{"n":7}]"#,
        ),
        (
            "import functools\n@functools.cache\ndef main(): return 5",
            "5",
        ),
    ]
    .into_iter()
}

fn missing() -> impl Iterator<Item = (&'static str, &'static str)> {
    [
        ("x = 1", "the script defines no main() function"),
        ("# nothing", "the script defines no main() function"),
        ("def Main(): pass", "the script defines no main() function"),
        (
            "def main(): pass\ndel main",
            "the script defines no main() function",
        ),
        ("main = 3", "main is not callable, it is of type int"),
        (
            "def main(a, b): pass",
            "main(a, b) requires a, b; send an object with these names as arguments or as input",
        ),
        (
            "def main(*, key): pass",
            "main(*, key) requires key; send an object with these names as arguments or as input",
        ),
    ]
    .into_iter()
}
