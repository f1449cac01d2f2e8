//! Tracebacks through libraries: their frames are shown, and no path of the host.

use cellblock_tests::Case;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(
            "the standard library",
            "import json\ndef main():\n    return json.loads('{')",
        )
        .fails("exception")
        .line(3)
        .message_has("json.decoder.JSONDecodeError: Expecting property name")
        .traceback_has("  File \"script.py\", line 3, in main\n    return json.loads('{')\n")
        .traceback_has("File \"json/__init__.py\", line "),
        Case::new(
            "numpy",
            "
            import numpy as np
            def main():
                a = np.zeros((2, 3))
                return np.linalg.inv(a)
            ",
        )
        .fails("exception")
        .line(4)
        .message("numpy.linalg.LinAlgError: Last 2 dimensions of the array must be square")
        .traceback_has("File \"script.py\", line 4, in main\n    return np.linalg.inv(a)\n")
        .traceback_has("File \"numpy/linalg/"),
        Case::new(
            "pandas",
            "
            import pandas as pd
            def main():
                frame = pd.DataFrame({'a': [1, 2]})
                return frame['nosuch'].sum()
            ",
        )
        .fails("exception")
        .line(4)
        .message("KeyError: 'nosuch'")
        .traceback_has("File \"script.py\", line 4, in main\n")
        .traceback_has("File \"pandas/core/frame.py\", line "),
        Case::new(
            "a callback from a library",
            "
            import pandas as pd
            def bad(x):
                raise ValueError(f'bad {x}')
            def main():
                return pd.Series([1]).apply(bad)
            ",
        )
        .fails("exception")
        .line(3)
        .message("ValueError: bad 1")
        .traceback_has("File \"script.py\", line 3, in bad\n"),
    ]
}
