//! What JSON cannot hold: the path in the value, its type, and what to call instead.

use cellblock_tests::Case;

pub(super) fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = VALUES
        .iter()
        .map(|(before, expression, path, kind, hint)| {
            let script = format!("{before}\ndef main():\n    return {expression}\n");
            Case::new(format!("refused: {expression}"), &script)
                .fails("result_not_json")
                .error("path", *path)
                .message_has(kind)
                .and(|failure| {
                    failure.any.push("hint");
                    failure.hint = Some((*hint).to_owned());
                })
        })
        .collect();
    cases.extend([
        Case::new(
            "the whole answer",
            "def main():\n    print('a')\n    return {'rows': [1, {2}]}",
        )
        .fails("result_not_json")
        .message(
            "main() returned a set at $.rows[1], which JSON cannot hold; use sorted(...) or \
                 list(...)",
        )
        .error("path", "$.rows[1]")
        .error("hint", "use sorted(...) or list(...)")
        .prints("a\n"),
        Case::new(
            "201 levels",
            "def main():\n    x = []\n    for _ in range(200): x = [x]\n    return x",
        )
        .fails("result_not_json")
        .message("main() returned a value nested deeper than 200 levels")
        .error("path", format!("${}", "[0]".repeat(200)))
        .error("hint", "return a flatter structure"),
        Case::new(
            "100 000 levels",
            "def main():\n    x = []\n    for _ in range(100_000): x = {'a': [x]}\n    return x",
        )
        .fails("result_not_json")
        .message("main() returned a value nested deeper than 200 levels")
        .error("path", format!("${}", ".a[0]".repeat(100)))
        .error("hint", "return a flatter structure"),
        Case::new(
            "a list in itself",
            "def main():\n    x = [1]\n    x.append({'k': x})\n    return x",
        )
        .fails("result_not_json")
        .message("main() returned a list that contains itself at $[1].k")
        .error("path", "$[1].k")
        .error("hint", "return a copy without the cycle"),
        Case::new(
            "a dict whose items fail",
            "class D(dict):\n    def items(self): 1 / 0\ndef main(): return D(a=1)",
        )
        .fails("result_not_json")
        .message_has("ZeroDivisionError")
        .error("path", "$")
        .and(|failure| failure.any.push("hint")),
    ]);
    cases
}

const NUMPY: &str = "import numpy as np";
const PANDAS: &str = "import pandas as pd";
const DATES: &str = "import datetime as d";

/// Statements, expression, path, a part of the message, a part of the hint.
const VALUES: &[(&str, &str, &str, &str, &str)] = &[
    ("", "float('nan')", "$", "NaN", "None"),
    ("", "[1, float('inf')]", "$[1]", "Infinity", "None"),
    ("", "{'a': -float('inf')}", "$.a", "-Infinity", "None"),
    (
        "",
        r"{'a': ['\ud800']}",
        "$.a[0]",
        "lone surrogate U+D800",
        "encode",
    ),
    ("", r"{'\udfff': 1}", "$", "lone surrogate U+DFFF", "encode"),
    ("", "{'b': b'x'}", "$.b", "a bytes", "base64"),
    ("", "bytearray(1)", "$", "a bytearray", "base64"),
    ("", "{1, 2}", "$", "a set", "list(...)"),
    ("", "frozenset()", "$", "a frozenset", "list(...)"),
    ("", "1j", "$", "a complex", ".real"),
    ("", "range(3)", "$", "a range", "list(...)"),
    ("", "(x for x in ())", "$", "a generator", "list(...)"),
    ("", "{'a': 1}.keys()", "$", "a dict_keys", "list(...)"),
    ("", "object()", "$", "an object", "convert"),
    ("", "main", "$", "a function", "call it"),
    (
        "",
        "{'a b': {'c-d': [object()]}}",
        r#"$["a b"]["c-d"][0]"#,
        "an object",
        "convert",
    ),
    (
        DATES,
        "{'rows': [0, 1, 2, {'when': d.datetime.now()}]}",
        "$.rows[3].when",
        "a datetime",
        ".isoformat()",
    ),
    (DATES, "d.date.today()", "$", "a date", ".isoformat()"),
    (
        DATES,
        "[d.timedelta(1)]",
        "$[0]",
        "a timedelta",
        ".total_seconds()",
    ),
    (
        "import decimal",
        "[decimal.Decimal(1)]",
        "$[0]",
        "a Decimal",
        "float(...)",
    ),
    ("import uuid", "uuid.UUID(int=1)", "$", "UUID", "str(...)"),
    (
        "import pathlib",
        "pathlib.Path('/')",
        "$",
        "a PosixPath",
        "str(...)",
    ),
    (
        "import dataclasses\n@dataclasses.dataclass\nclass P:\n    x: int",
        "[P(1)]",
        "$[0]",
        "a P",
        "dataclasses.asdict(...)",
    ),
    ("", "{(1, 2): 3}", "$", "a tuple as a key", "str(...)"),
    (
        "",
        "{'a': {b'k': 3}}",
        "$.a",
        "a bytes as a key",
        "str(...)",
    ),
    (
        "",
        "{1: 0, '1': 0}",
        r#"$["1"]"#,
        "two keys that both become \"1\"",
        "differ",
    ),
    (
        "",
        "{'a': {True: 0, 'true': 0}}",
        "$.a.true",
        "two keys that both become \"true\"",
        "differ",
    ),
    (NUMPY, "np.arange(3)", "$", "ndarray", ".tolist()"),
    (
        NUMPY,
        "{'m': [np.zeros((2, 2))]}",
        "$.m[0]",
        "ndarray",
        ".tolist()",
    ),
    (NUMPY, "[np.float64('nan')]", "$[0]", "NaN", "None"),
    (NUMPY, "np.float32('inf')", "$", "Infinity", "None"),
    (
        NUMPY,
        "np.datetime64('2024-01-01')",
        "$",
        "a datetime64",
        "str(...)",
    ),
    (NUMPY, "np.complex128(1)", "$", "a complex128", ".real"),
    (
        PANDAS,
        "pd.DataFrame({'a': [1]})",
        "$",
        "a DataFrame",
        ".to_dict(\"records\")",
    ),
    (
        PANDAS,
        "{'s': pd.Series([1])}",
        "$.s",
        "a Series",
        ".tolist()",
    ),
    (PANDAS, "pd.Index([1])", "$", "an Index", ".tolist()"),
    (
        PANDAS,
        "[pd.Timestamp(0)]",
        "$[0]",
        "a Timestamp",
        ".isoformat()",
    ),
    (PANDAS, "[pd.NaT]", "$[0]", "a NaTType", "None"),
    (PANDAS, "[pd.NA]", "$[0]", "NAType", "None"),
];
