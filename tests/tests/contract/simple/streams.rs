//! Descriptors 0, 1 and 2. The server of these cases keeps 1000 bytes of stdout.

use cellblock_tests::Case;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(
            "print, os.write and the layers between, in order",
            "
            import os, sys
            def main():
                print('a', end='')
                os.write(1, b'b')
                sys.stdout.write('c')
                sys.stdout.buffer.write(b'd')
                os.write(1, b'e')
                print('f', file=sys.__stdout__)
                print('not this', file=sys.stderr)
                os.write(2, b'nor this')
            ",
        )
        .prints("abcdef\n"),
        Case::new(
            "native code that writes to descriptor 1",
            "
            import ctypes, faulthandler
            def main():
                libc = ctypes.CDLL(None)
                print('1')
                libc.write(1, b'2\\n', 2)
                print('3')
                libc.puts(b'4')
                libc.fflush(None)
                print('5')
            ",
        )
        .field("environment", "\"plain\"")
        .prints("1\n2\n3\n4\n5\n"),
        Case::new(
            "a traceback that native code prints",
            "
            import faulthandler, os
            def main():
                print('before')
                faulthandler.dump_traceback(file=1)
                print('after')
            ",
        )
        .checked(|answer| {
            let body = answer.json();
            let printed = body["stdout"].as_str().unwrap_or("");
            let good = printed.starts_with("before\n")
                && printed.contains("File \"script.py\", line 4 in main\n")
                && printed.ends_with("after\n");
            if good {
                Ok(())
            } else {
                Err("not in order".to_owned())
            }
        }),
        Case::new(
            "line ends are kept",
            r"def main(): print('a\r\nb\rc', end='\n\n')",
        )
        .prints("a\r\nb\rc\n\n"),
        Case::new(
            "control characters and NUL",
            r"def main(): print('\0\x01\x1b[0m\x7f')",
        )
        .prints("\0\u{1}\u{1b}[0m\u{7f}\n"),
        Case::new(
            "invalid UTF-8 is replaced",
            r"
            import os
            def main():
                os.write(1, b'\xff ok \xc3')
            ",
        )
        .prints("\u{fffd} ok \u{fffd}"),
        Case::new("lone surrogates", r"def main(): print('\ud800')").prints("\\ud800\n"),
        Case::new("beyond ASCII", "def main(): print('grün 🐍')").prints("grün 🐍\n"),
        Case::new("just what is kept", "def main(): print('x' * 1000, end='')")
            .prints(&"x".repeat(1000)),
        Case::new(
            "one byte more",
            "def main():\n    print('x' * 1001, end='')\n    return 5",
        )
        .returns("5")
        .prints(&"x".repeat(1000))
        .cut(),
        Case::new(
            "a character cut in two",
            "def main(): print('x' + 'ü' * 600, end='')",
        )
        .prints(&format!("x{}", "ü".repeat(499)))
        .cut(),
        Case::new(
            "cut, and failed",
            "def main():\n    print('x' * 1001)\n    1 / 0",
        )
        .fails("exception")
        .line(3)
        .prints(&"x".repeat(1000))
        .cut(),
        Case::new(
            "printed until it failed",
            "def main():\n    print('before')\n    1 / 0",
        )
        .fails("exception")
        .line(3)
        .prints("before\n"),
        Case::new(
            "stderr of a failure",
            "import sys\ndef main():\n    print('oh', file=sys.stderr)\n    1 / 0",
        )
        .fails("exception")
        .line(4)
        .and(|failure| failure.stderr = cellblock_tests::Text::is("oh\n")),
        Case::new(
            "a replaced sys.stdout",
            "
            import io, sys
            def main():
                sys.stdout = io.StringIO()
                print('kept by the script')
                return sys.stdout.getvalue()
            ",
        )
        .returns(r#""kept by the script\n""#),
        Case::new(
            "no input",
            "import sys\ndef main(): return sys.stdin.read()",
        )
        .returns("\"\""),
        Case::new("end of input", "def main(): input()")
            .fails("exception")
            .line(1)
            .message("EOFError: EOF when reading a line")
            .hint("the request's `stdin`"),
        Case::new(
            "stdin",
            "import sys\ndef main(): return sys.stdin.buffer.read().decode()",
        )
        .stdin("één\ntwo\r\nthree")
        .returns(r#""één\ntwo\r\nthree""#),
        Case::new(
            "lines of input",
            "import sys\ndef main(): return [input(), *sys.stdin]",
        )
        .stdin("one\ntwo\nthree")
        .returns(r#"["one","two\n","three"]"#),
        Case::new(
            "descriptor 0",
            "import os\ndef main(): return os.read(0, 9).decode()",
        )
        .stdin("abc")
        .returns("\"abc\""),
        Case::new(
            "stdin leaves no file behind",
            "import os\ndef main(): return os.listdir('.')",
        )
        .stdin("abc")
        .returns("[]"),
        Case::new(
            "a large stdin",
            "import sys\ndef main(): return len(sys.stdin.read())",
        )
        .stdin(&"line\n".repeat(1_000_000))
        .returns("5000000"),
    ]
}
