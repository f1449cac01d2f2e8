"""numpy and pandas values in results, errors and tracebacks."""

import unittest

from harness import run
from numpy_or_skip import needs_numpy, needs_pandas


@needs_numpy
class Numpy(unittest.TestCase):
    def test_scalars(self):
        for cold in (False, True):
            script = (
                "import numpy as np\n"
                "def main(): return [np.int64(3), np.uint8(255), np.float64(0.1), np.float32(0.5), np.float16(2),\n"
                "    np.bool_(True), np.str_('é'), {np.int64(1): np.int8(-1), np.float32(0.5): 0, np.str_('k'): 0,\n"
                "    np.bool_(False): 0, np.float64(1.5): 0}]\n"
            )
            expected = '[3,255,0.1,0.5,2.0,true,"é",{"1":-1,"0.5":0,"k":0,"false":0,"1.5":0}]'
            self.assertEqual(run(script, cold=cold).text, expected)

    def test_scalars_without_sys_modules(self):
        script = "import sys, numpy as np\ndef main():\n    sys.modules.clear()\n    return [np.int64(3), np.float64(2)]"
        self.assertEqual(run(script).text, "[3,2.0]")

    def test_refused(self):
        for source, path, *parts in (
            ("{'a': np.arange(3)}", "$.a", "an ndarray", ".tolist()"),
            ("[np.float64('nan')]", "$[0]", "NaN", "None"),
            ("[np.float32('inf')]", "$[0]", "Infinity"),
            ("{np.float32('nan'): 1}", "$.nan", "NaN"),
            ("np.datetime64('2020-01-01')", "$", "a datetime64", "str(...)"),
            ("np.datetime64(1, 'ns')", "$", "a datetime64"),
            ("np.timedelta64(1, 'ns')", "$", "a timedelta64"),
            ("np.complex128(1)", "$", "a complex128"),
            ("np.longdouble(1)", "$", "a longdouble", "float(...)"),
            ("np.bytes_(b'x')", "$", "a bytes_", "base64"),
            ("np.zeros(1, 'i4,i4')[0]", "$", "a void"),
            ("np.ma.masked_array([1])", "$", "a MaskedArray", ".tolist()"),
            ("np.str_('\\ud800')", "$", "surrogate"),
            ("{np.int64(1): 0, 1.0: 0, '1': 0}", '$["1"]', "two keys"),
            ("{np.datetime64(1, 'ns'): 0}", "$", "a datetime64 as a key"),
            ("np.dtype('i4')", "$", "str(...)"),
        ):
            with self.subTest(source):
                error = run(f"import numpy as np\ndef main(): return {source}").error
                self.assertEqual((error["type"], error["path"]), ("result_not_json", path), error)
                for part in parts:
                    self.assertIn(part, f"{error['message']} | {error['hint']}")


@needs_pandas
class Pandas(unittest.TestCase):
    def test_refused(self):
        for source, path, *parts in (
            (
                "{'rows': df}",
                "$.rows",
                'a DataFrame at $.rows, which JSON cannot hold; call .to_dict("records") on it',
            ),
            ("[df.a]", "$[0]", "a Series", ".tolist()", ".to_dict()"),
            ("df.index", "$", "RangeIndex", ".tolist()"),
            ("pd.NA", "$", "an NAType", "None"),
            ("pd.NaT", "$", "a NaTType", "None"),
            ("[pd.Timestamp('2020')]", "$[0]", "a Timestamp", ".isoformat()"),
            ("pd.Timedelta(1)", "$", "a Timedelta", ".total_seconds()"),
            ("pd.Period('2020')", "$", "a Period", "str(...)"),
            ("pd.Categorical(['a'])", "$", "a Categorical", ".tolist()"),
            ("pd.array([1])", "$", "an IntegerArray", ".tolist()"),
            ("pd.Interval(0, 1)", "$", "an Interval", "str(...)"),
            ("df.groupby('a')", "$", "a DataFrameGroupBy"),
        ):
            with self.subTest(source):
                script = f"import pandas as pd\ndf = pd.DataFrame({{'a': [1, 2]}})\ndef main(): return {source}"
                error = run(script).error
                self.assertEqual((error["type"], error["path"]), ("result_not_json", path), error)
                for part in parts:
                    self.assertIn(part, f"{error['message']} | {error['hint']}")

    def test_advice_works(self):
        script = (
            "import pandas as pd\ndf = pd.DataFrame({'a': [1, 2], 'b': [0.5, 1.5], 'c': ['x', 'y']})\n"
            "def main(): return [df.to_dict('records'), df.a.tolist(), df.b.to_dict(), df.a.sum(), df.b.mean(), df.shape]"
        )
        expected = '[[{"a":1,"b":0.5,"c":"x"},{"a":2,"b":1.5,"c":"y"}],[1,2],{"0":0.5,"1":1.5},3,1.0,[2,3]]'
        self.assertEqual(run(script).text, expected)

    def test_with_the_restricted_list(self):
        names = ("socket", "subprocess", "ctypes", "urllib.request", "http.client")
        restricted = dict.fromkeys(names)
        script = (
            "import io\nimport pandas as pd\n"
            "def main(): return pd.read_csv(io.StringIO('a,b\\n1,2\\n')).groupby('a').sum().to_dict()"
        )
        for cold in (False, True):
            answer = run(script, cold=cold, restricted=restricted)
            self.assertEqual(answer.text, '{"b":{"1":2}}')

    def test_traceback(self):
        script = "import pandas as pd\ndef main():\n    return pd.DataFrame({'a': [1]})['b']"
        for cold in (False, True):
            error = run(script, cold=cold).error
            self.assertEqual((error["line"], error["message"]), (3, "KeyError: 'b'"))
            self.assertRegex(
                error["traceback"], r'File "pandas/core/frame.py", line \d+, in __getitem__'
            )
            self.assertNotRegex(error["traceback"], r'File "/')


if __name__ == "__main__":
    unittest.main()
