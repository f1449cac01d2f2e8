//! `syntax_error`.

use cellblock_tests::Case;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new("the whole answer", "def main():\n    return 1 +* 2\n")
            .fails("syntax_error")
            .message("SyntaxError: invalid syntax")
            .line(2)
            .error("column", 15)
            .traceback(
                "
                  File \"script.py\", line 2
                    return 1 +* 2
                SyntaxError: invalid syntax
                ",
            ),
        Case::new("nothing runs", "print('ran')\ndef main(): return (")
            .fails("syntax_error")
            .line(2)
            .error("column", 20)
            .message_has("was never closed"),
    ];
    cases.extend(places().map(|(script, line, column, message)| {
        Case::new(format!("{script:?}"), script)
            .fails("syntax_error")
            .line(line)
            .error("column", column)
            .message_has(message)
    }));
    cases
}

fn places() -> impl Iterator<Item = (&'static str, u32, u32, &'static str)> {
    [
        (
            "def main(): return 'open",
            1,
            20,
            "SyntaxError: unterminated string literal",
        ),
        (
            "x = 1\n  y = 2",
            2,
            2,
            "IndentationError: unexpected indent",
        ),
        (
            "if x:\n\ty\n        z",
            3,
            1,
            "TabError: inconsistent use of tabs",
        ),
        (
            "def main():\nreturn 1",
            2,
            1,
            "IndentationError: expected an indented block",
        ),
        ("return 1", 1, 1, "SyntaxError: 'return' outside function"),
        ("\u{feff}x = $", 1, 5, "SyntaxError: invalid syntax"),
        ("größe = 'ü' 1", 1, 13, "SyntaxError: invalid syntax"),
        ("a = 1\r\nb = = 2\r\n", 2, 5, "SyntaxError: invalid syntax"),
        (
            "def f():\n    nonlocal x",
            2,
            5,
            "SyntaxError: no binding for nonlocal 'x' found",
        ),
        (
            "print 'x'",
            1,
            1,
            "SyntaxError: Missing parentheses in call to 'print'",
        ),
    ]
    .into_iter()
}
