//! `exception`: what leaves the script, and where.

use cellblock_tests::Case;

const HOSTILE: [&str; 8] = [
    "def __str__(self): 1 / 0",
    "def __str__(self): return str(self)",
    "def __str__(self): raise SystemExit(3)",
    "def __str__(self): return 5",
    "def __str__(self): return 'x' * 50_000_000",
    "__cause__ = property(lambda self: 1 / 0)",
    "__class__ = property(lambda self: 1 / 0)",
    "def __getattribute__(self, name): raise BaseException",
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new(
            "the whole answer",
            "
            def helper(x):
                return 1 / x

            def main():
                print('before')
                return helper(0)
            ",
        )
        .fails("exception")
        .message("ZeroDivisionError: division by zero")
        .line(2)
        .prints("before\n")
        .traceback(
            "
            Traceback (most recent call last):
              File \"script.py\", line 6, in main
                return helper(0)
              File \"script.py\", line 2, in helper
                return 1 / x
            ZeroDivisionError: division by zero
            ",
        ),
        Case::new("in the module body", "x = 1\nraise KeyError('k')")
            .fails("exception")
            .message("KeyError: 'k'")
            .line(2)
            .traceback(
                "
                Traceback (most recent call last):
                  File \"script.py\", line 2, in <module>
                    raise KeyError('k')
                KeyError: 'k'
                ",
            ),
        Case::new("without a text", "def main(): raise ValueError")
            .fails("exception")
            .message("ValueError")
            .line(1),
        Case::new(
            "of the script's own",
            "class Oops(Exception): pass\ndef main(): raise Oops('x')",
        )
        .fails("exception")
        .message("script.Oops: x")
        .line(2),
        Case::new("no Exception", "def main(): raise KeyboardInterrupt")
            .fails("exception")
            .message("KeyboardInterrupt")
            .line(1),
        Case::new(
            "with a cause",
            "
            def main():
                try:
                    {}['k']
                except KeyError as error:
                    raise ValueError('v') from error
            ",
        )
        .fails("exception")
        .message("ValueError: v")
        .line(5)
        .traceback(
            "
            Traceback (most recent call last):
              File \"script.py\", line 3, in main
                {}['k']
            KeyError: 'k'

            The above exception was the direct cause of the following exception:

            Traceback (most recent call last):
              File \"script.py\", line 5, in main
                raise ValueError('v') from error
            ValueError: v
            ",
        ),
        Case::new(
            "while another was handled",
            "
            def main():
                try:
                    1 / 0
                finally:
                    None.x
            ",
        )
        .fails("exception")
        .line(5)
        .message("AttributeError: 'NoneType' object has no attribute 'x'")
        .traceback_has("During handling of the above exception, another exception occurred"),
        Case::new(
            "async",
            "
            import asyncio
            async def inner():
                await asyncio.sleep(0)
                1 / 0
            async def main():
                await inner()
            ",
        )
        .fails("exception")
        .message("ZeroDivisionError: division by zero")
        .line(4)
        .traceback(
            "
            Traceback (most recent call last):
              File \"script.py\", line 6, in main
                await inner()
              File \"script.py\", line 4, in inner
                1 / 0
            ZeroDivisionError: division by zero
            ",
        ),
        Case::new("recursion", "def main():\n    return main()")
            .fails("exception")
            .line(2)
            .message_has("RecursionError: maximum recursion depth exceeded")
            .traceback_has("[Previous line repeated"),
        Case::new("several lines", "def main(): raise ValueError('a\\nb')")
            .fails("exception")
            .message("ValueError: a\nb")
            .line(1),
        Case::new("syntax at run time", "def main():\n    exec('1 +')")
            .fails("exception")
            .line(2)
            .message_has("SyntaxError: invalid syntax"),
        Case::new(
            "in a module of the client's",
            "import helper\ndef main():\n    helper.fail()",
        )
        .field(
            "files",
            r#"[{"path": "helper.py", "text": "def fail():\n    raise ValueError('h')\n"}]"#,
        )
        .fails("exception")
        .line(3)
        .message("ValueError: h")
        .traceback(
            "
                Traceback (most recent call last):
                  File \"script.py\", line 3, in main
                    helper.fail()
                  File \"helper.py\", line 2, in fail
                    raise ValueError('h')
                ValueError: h
                ",
        ),
        Case::new(
            "a module that is not there",
            "import nosuch\ndef main(): pass",
        )
        .fails("exception")
        .line(1)
        .message("ModuleNotFoundError: No module named 'nosuch'")
        .hint("'nosuch' is not in this environment"),
        Case::new(
            "a name that is not there",
            "from json import nosuch\ndef main(): pass",
        )
        .fails("exception")
        .line(1)
        .message("ImportError: cannot import name 'nosuch' from 'json' (json/__init__.py)"),
        Case::new(
            "a lone surrogate",
            "def main(): raise ValueError('\\ud800')",
        )
        .fails("exception")
        .line(1)
        .message("ValueError: \\ud800"),
    ];
    cases.extend(HOSTILE.map(|body| {
        let script =
            format!("class Evil(Exception):\n    {body}\ndef main():\n    raise Evil('x')");
        Case::new(format!("hostile: {body}"), &script)
            .fails("exception")
            .line(4)
            .message_has("Evil")
    }));
    cases
}
