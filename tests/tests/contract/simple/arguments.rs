//! What `main` is handed: nothing, `input`, or `arguments`.

use cellblock_tests::Case;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new("a default is kept", "def main(n=3): return n").returns("3"),
        Case::new("null is an input", "def main(n=3): return n")
            .input("null")
            .returns("null"),
        Case::new("an async default", "async def main(n=3): return n").returns("3"),
        Case::new("no input for any number", "def main(*x): return x").returns("[]"),
        Case::new("a big number by its name", "def main(n): return n + 1")
            .field("arguments", r#"{"n": 123456789012345678901234567890}"#)
            .returns("123456789012345678901234567891"),
    ];
    cases.extend(BY_NAME.map(|(script, field, json, result)| {
        Case::new(format!("{script} with {field} {json}"), script)
            .field(field, json)
            .returns(result)
    }));
    cases.extend(MISFITS.map(|(script, field, json, message)| {
        Case::new(format!("{script} with {field} {json}"), script)
            .field(field, json)
            .fails("missing_main")
            .message(message)
    }));
    cases
}

/// Script, field and its value, result or message.
type Row = (&'static str, &'static str, &'static str, &'static str);

const BY_NAME: [Row; 9] = [
    (
        "def main(a, b, c=3): return [a, b, c]",
        "input",
        r#"{"b": 2, "a": 1}"#,
        "[1,2,3]",
    ),
    (
        "def main(a, *, key): return [a, key]",
        "input",
        r#"{"a": 1, "key": 2}"#,
        "[1,2]",
    ),
    (
        "async def main(a, b): return a + b",
        "input",
        r#"{"b": 2, "a": 1}"#,
        "3",
    ),
    (
        "def main(a, b=2): return a",
        "input",
        r#"{"b": 1}"#,
        r#"{"b":1}"#,
    ),
    (
        "def main(a: int, b: int = 2): return [a, b]",
        "arguments",
        r#"{"a": 1}"#,
        "[1,2]",
    ),
    (
        "def main(a: int, b: int = 2): return [a, b]",
        "arguments",
        r#"{"b": 3, "a": 1}"#,
        "[1,3]",
    ),
    ("def main(): return 5", "arguments", "{}", "5"),
    (
        "def main(**k): return k",
        "arguments",
        r#"{"z": 1, "a": [2]}"#,
        r#"{"z":1,"a":[2]}"#,
    ),
    (
        "class M:\n def m(self, a): return a\nmain = M().m",
        "arguments",
        r#"{"a": null}"#,
        "null",
    ),
];

const MISFITS: [Row; 5] = [
    (
        "def main(a: int, b: int = 2): pass",
        "arguments",
        r#"{"b": 1}"#,
        "the arguments do not fit main(a: int, b: int = 2): missing a required argument: 'a'",
    ),
    (
        "def main(a): pass",
        "arguments",
        r#"{"a": 1, "c": 2}"#,
        "the arguments do not fit main(a): got an unexpected keyword argument 'c'",
    ),
    (
        "def main(): pass",
        "arguments",
        r#"{"a": 1}"#,
        "the arguments do not fit main(): got an unexpected keyword argument 'a'",
    ),
    (
        "def main(a, b): pass",
        "input",
        r#"{"a": 1}"#,
        "the input does not fit main(a, b): missing a required argument: 'b'",
    ),
    (
        "def main(a, b): pass",
        "input",
        "[1, 2]",
        "main(a, b) requires a, b; send an object with these names as arguments or as input",
    ),
];
