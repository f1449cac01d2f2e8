"""What a result may be, and what is said of the rest."""

import collections
import json
import random
import sys
import unittest

from cellblock_runner import encode, hints, module, walk
from harness import run

LIMIT = 4 << 20


def encoded(value, limit=LIMIT):
    return encode.encode(value, limit).decode()


class Encodes(unittest.TestCase):
    def check(self, source, expected):
        answer = run(f"import collections, enum, sys\ndef main():\n    return {source}")
        self.assertEqual(answer.error, None)
        self.assertEqual(answer.text, expected)

    def test_through_a_cell(self):
        for source, expected in (
            ("None", "null"),
            ("True", "true"),
            ("'é\\u2028\\x00😀'", '"é\u2028\\u0000😀"'),
            ("[0.1, -0.0, 1e400 - 1e400 if 0 else 1e308, 5e-324]", "[0.1,-0.0,1e+308,5e-324]"),
            ("10 ** 30", "1" + "0" * 30),
            ("{'b': 1, 'a': (1, [2])}", '{"b":1,"a":[1,[2]]}'),
            (
                "{1: 1, 2.5: 2, True: 3, None: 4} if 0 else {2: 1, 2.5: 2, False: 3, None: 4}",
                '{"2":1,"2.5":2,"false":3,"null":4}',
            ),
            ("collections.OrderedDict(z=1, a=2)", '{"z":1,"a":2}'),
            ("collections.defaultdict(list, a=[])", '{"a":[]}'),
            ("collections.Counter('aab')", '{"a":2,"b":1}'),
            ("collections.namedtuple('P', 'x y')(1, 2)", "[1,2]"),
            ("enum.IntEnum('E', 'A B').B", "2"),
            ("{enum.IntEnum('E', 'A B').B: 0}", '{"2":0}'),
            ("type('S', (str,), {})('s')", '"s"'),
            (
                "type('E', (str, enum.Enum), {'A': 'x'}) if 0 else enum.Enum('E', {'A': 'x'}, type=str).A",
                '"x"',
            ),
            ("[type('F', (float,), {'__repr__': None})(1.5)]", "[1.5]"),
            ("[]", "[]"),
            ("{}", "{}"),
        ):
            with self.subTest(source):
                self.check(source, expected)

    def test_every_digit(self):
        answer = run("def main(): return {10 ** 5000: 10 ** 5000}")
        self.assertEqual(answer.text, '{"%s":%s}' % (("1" + "0" * 5000,) * 2))

    def test_moved_order(self):
        source = "import collections\ndef main():\n    d = collections.OrderedDict(a=1, b=2)\n    d.move_to_end('a')\n    return d"
        self.assertEqual(run(source).text, '{"b":2,"a":1}')

    def test_depth_200(self):
        for opening, closing in (("[", "]"), ('{"k":', "}"), ('[{"k":', "}]")):
            levels = 200 // len(opening.replace('"k":', ""))
            text = opening * levels + "1" + closing * levels
            self.assertEqual(encoded(json.loads(text)), text)

    def test_shared_is_not_a_cycle(self):
        shared = [1]
        self.assertEqual(encoded([shared, shared, {"a": shared}]), '[[1],[1],{"a":[1]}]')


class Refuses(unittest.TestCase):
    def check(self, source, path, *parts):
        answer = run(
            f"import collections, datetime, decimal, enum, sys, uuid, pathlib\ndef main():\n    return {source}"
        )
        error = answer.error or {"type": answer.text}
        self.assertEqual(error["type"], "result_not_json", error)
        self.assertEqual(error["path"], path)
        for part in parts:
            self.assertIn(part, f"{error['message']} | {error['hint']}")
        self.assertTrue(error["hint"])
        self.assertTrue(answer.done)

    def test_types(self):
        for source, path, *parts in (
            (
                "{'rows': [0, 1, 2, {'when': datetime.date(2020, 1, 1)}]}",
                "$.rows[3].when",
                "a date",
                ".isoformat()",
            ),
            ("[datetime.datetime.now()]", "$[0]", "a datetime", ".isoformat()"),
            (
                "datetime.timedelta(1)",
                "$",
                "main() returned a timedelta, which",
                ".total_seconds()",
            ),
            ("{'a b': {'c': {1, 2}}}", '$["a b"].c', "a set", "sorted(...)"),
            ("{1: b'x'}", '$["1"]', "bytes", "base64.b64encode(...).decode()"),
            ("[decimal.Decimal(1)]", "$[0]", "a Decimal", "str(...)", "float(...)"),
            ("1j", "$", "a complex"),
            ("(x for x in [])", "$", "a generator", "list(...)"),
            ("map(str, [])", "$", "a map", "list(...)"),
            ("{}.keys()", "$", "a dict_keys", "list(...)"),
            ("object()", "$", "an object", "convert it"),
            ("main", "$", "a function", "call it"),
            ("enum.Enum('E', 'A').A", "$", "an E", ".value"),
            ("uuid.UUID(int=0)", "$", "a UUID", "str(...)"),
            ("pathlib.Path()", "$", "a PosixPath", "str(...)"),
            ("ValueError('x')", "$", "a ValueError", "str(...)"),
            ("{(1, 2): 3}", "$", "a tuple as a key", "str(...)"),
            ("{'a': {b'k': 3}}", "$.a", "a bytes as a key"),
            ("collections.deque()", "$", "a deque", "list(...)"),
        ):
            with self.subTest(source):
                self.check(source, path, *parts)

    def test_numbers(self):
        for source, path, *parts in (
            ("[1, float('nan')]", "$[1]", "NaN", "None"),
            ("{'x': float('inf')}", "$.x", "Infinity"),
            ("-float('inf')", "$", "-Infinity"),
            ("{float('nan'): 1}", "$.nan", "NaN"),
        ):
            with self.subTest(source):
                self.check(source, path, *parts)

    def test_text(self):
        self.check("['ok', 'a\\ud800']", "$[1]", "lone surrogate U+D800")
        self.check("{'\\udfff': 1}", "$", "a dict key", "U+DFFF")

    def test_structure(self):
        self.check("{1: 0, '1': 0}", '$["1"]', 'two keys that both become "1"')
        self.check("[{True: 0, 'true': 0}]", "$[0].true", "two keys")
        self.check("(lambda a: a.append(a) or a)([])", "$[0]", "a list that contains itself")
        self.check("(lambda a: a.update(b=[a]) or a)({})", "$.b[0]", "a dict that contains itself")
        for deep in ("[]", "{}", "()", "collections.OrderedDict()"):
            source = f"__import__('functools').reduce(lambda a, _: [a], range(200), {deep})"
            self.check(source, "$" + "[0]" * 200, "nested deeper than 200")

    def test_very_deep(self):
        source = "__import__('functools').reduce(lambda a, _: [a], range(100_000), 1)"
        answer = run(f"import sys\nsys.setrecursionlimit(60)\ndef main(): return {source}")
        self.assertEqual(answer.error["type"], "result_not_json")

    def test_long_names_are_cut(self):
        answer = run("def main(): return {'k' * 1_000_000: {1}, 'x': type('T' * 100_000, (), {})}")
        self.assertLess(len(answer.error["path"]), 3000)
        self.assertLess(len(answer.error["message"]), 9000)


class Native(unittest.TestCase):
    """The native half writes what Python's own encoder does, or nothing."""

    def test_same_as_json(self):
        draw = random.Random(7)
        for _ in range(500):
            value = _drawn(draw, 5)
            expected = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
            self.assertEqual(module.ordinary.encode(value, 1 << 20).decode(), expected)

    def test_each_character(self):
        for code in (*range(0x800), 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF):
            text = f"a{chr(code)}b{chr(code)}"
            expected = json.dumps(text, ensure_ascii=False)
            self.assertEqual(module.ordinary.encode(text, 100).decode(), expected)

    def test_limit_to_the_byte(self):
        for value in ([1.5, "é" * 9, None], {"a": [True, {}, "x" * 9]}, "\n" * 9, -(2**70)):
            size = len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
            self.assertIs(type(module.ordinary.encode(value, size)), bytes)
            for limit in (size - 1, size // 2 + 4):  # the length that it would have had
                self.assertEqual(module.ordinary.encode(value, limit), size)

    def test_what_is_not_plain(self):
        class Text(str):
            pass

        deep, loop = [], []
        for _ in range(250):
            deep = [deep]
        loop.append(loop)
        for value in (
            *(deep, loop, float("nan"), float("-inf"), "\ud800", {1: 2}, {Text("k"): 1}),
            *(Text("x"), [Text("x")], {1}, b"x", object(), 1j, collections.OrderedDict(), 10**5000),
        ):
            self.assertIsNone(module.ordinary.encode(value, 1 << 20))


_NUMBERS = (0, -1, 10**20, -(2**80), 0.5, 1e16, 1e-5, -0.0, 5e-324, 1.7976931348623157e308)
_TEXTS = ("", "plain", '"quoted\\\b\f\n\r\t\x00\x1f\x7f', "é日😀", "x" * 300)


def _drawn(draw, depth):
    kind = draw.randrange(7 if depth else 4)
    if kind < 3:
        return draw.choice(((None, True, False), _NUMBERS, _TEXTS)[kind])
    if kind == 3:
        return draw.uniform(-1, 1) * 10 ** draw.randint(-30, 30)
    if kind == 4:
        return {f"k{n}é": _drawn(draw, depth - 1) for n in range(draw.randrange(5))}
    items = [_drawn(draw, depth - 1) for _ in range(draw.randrange(6))]
    return tuple(items) if kind == 5 else items


class Sizes(unittest.TestCase):
    def test_limit(self):
        self.assertEqual(
            run("def main(): return 'x' * 8", limits={"result_bytes": 10}).result, "x" * 8
        )
        error = run("def main(): return 'x' * 9", limits={"result_bytes": 10}).error
        self.assertEqual(error["type"], "result_too_large")
        self.assertEqual(error["message"], "the result is 11 bytes of JSON, the limit is 10")

    def test_many_elements_are_refused_before_they_are_encoded(self):
        for source in ("[0] * 10_000_000", "f(30)"):
            script = f"def f(n): x = []; [x := [x, x] for _ in range(n)]; return x\ndef main(): return {source}"
            error = run(script, limits={"result_bytes": 100_000}).error
            self.assertEqual(error["type"], "result_too_large")
            self.assertIn("100000", error["message"])

    def test_too_many_elements_are_refused_before_they_are_written(self):
        for value in ([0] * 60, (0,) * 60, {str(n): 0 for n in range(60)}, [[0] * 59]):
            with self.subTest(value):
                self.assertEqual(module.ordinary.encode(value, 100), -1)
                self.assertRaises(encode.TooLarge, encode.encode, value, 100)
                self.assertIsNotNone(module.ordinary.encode(value, 1_000))


class Hostile(unittest.TestCase):
    def test_subclasses(self):
        for source in (
            "class D(dict):\n    def items(self): raise SystemExit(3)",
            "class D(dict):\n    def items(self): return 5",
            "class D(dict):\n    def items(self): return [(1, 2, 3)]",
            "class D(dict):\n    def items(self): return self.items()",
            "class D(dict):\n    def items(self): return [('a', {1})]",
            "class D(dict):\n    def items(self): raise MemoryError",
            "class M(type):\n    __module__ = property(lambda s: 1 / 0)\nclass D(metaclass=M):\n    def __init__(*a, **k): pass",
            "class D:\n    __class__ = dict\n    def __init__(*a, **k): pass",
            "class generic:\n    __module__ = 'numpy'\n    def item(self): return {1}\nclass D(generic):\n    def __init__(*a, **k): pass",
        ):
            with self.subTest(source):
                answer = run(f"{source}\ndef main(): return [D(a=1)]")
                self.assertIn(answer.error["type"], ("result_not_json", "memory_limit"))
                self.assertTrue(answer.done)

    def test_a_class_that_cannot_be_hashed(self):
        source = "class M(type):\n    def __hash__(cls): raise ValueError\nclass D(dict, metaclass=M): pass"
        self.assertEqual(run(f"{source}\ndef main(): return [D(a=1)]").result, [{"a": 1}])

    def test_endless_items(self):
        script = (
            "import itertools\n"
            "class D(dict):\n    def items(self): return ((i, i) for i in itertools.count())\n"
            "def main(): return D(a=1)"
        )
        self.assertEqual(
            run(script, limits={"result_bytes": 1000}).error["type"], "result_too_large"
        )

    def test_overridden_methods_do_not_matter(self):
        script = (
            "class L(list):\n    def __iter__(self): 1 / 0\n    def __len__(self): 1 / 0\n"
            "class S(str):\n    def __str__(self): 1 / 0\n    def encode(self, *a): 1 / 0\n    def __hash__(self): return 5\n"
            "class I(int):\n    def __repr__(self): 1 / 0\n    def __pos__(self): 1 / 0\n"
            "def main(): return L([S('a'), I(3), {S('k'): S('v')}])"
        )
        self.assertEqual(run(script).text, '["a",3,{"k":"v"}]')


class Property(unittest.TestCase):
    """Random values: what encodes reads back equal and as json.dumps has it; what does not is refused."""

    SEED = 20240607

    def value(self, rng, depth):
        kind = rng.randrange(12 if depth else 8)
        if kind == 0:
            return rng.choice((None, True, False))
        if kind == 1:
            return rng.randrange(-(10**25), 10**25) if rng.random() < 0.3 else rng.randrange(-9, 9)
        if kind == 2:
            return rng.uniform(-1e9, 1e9) * 10.0 ** rng.randrange(-300, 290)
        if kind < 7:
            return self.text(rng)
        if kind == 7:
            return rng.choice((_Int(rng.randrange(9)), _Str(self.text(rng)), _Float(0.5)))
        if kind < 10:
            items = [self.value(rng, depth - 1) for _ in range(rng.randrange(5))]
            return rng.choice((list, tuple, _List))(items)
        keys = {str(key): key for key in (self.key(rng) for _ in range(rng.randrange(5)))}
        return rng.choice((dict, _Dict))((key, self.value(rng, depth - 1)) for key in keys.values())

    def text(self, rng):
        return "".join(
            rng.choice('a"\\\n\x00\x1f\x7fé\u2028\uffff😀 ') for _ in range(rng.randrange(6))
        )

    def key(self, rng):
        return rng.choice((self.text(rng), rng.randrange(100, 200), rng.random(), _Str("k")))

    def test_round_trip(self):
        rng = random.Random(self.SEED)
        for round in range(3000):
            value = self.value(rng, 5)
            expected = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
            with self.subTest(round=round):
                self.assertEqual(encoded(value), expected)
                self.assertEqual(json.dumps(json.loads(expected)), json.dumps(value))

    def test_one_bad_leaf_is_found(self):
        rng = random.Random(self.SEED)
        bad = (float("nan"), "\ud800", b"", {1}, object(), float("inf"))
        for round in range(1000):
            steps, value = [], rng.choice(bad)
            for _ in range(rng.randrange(6)):
                if rng.random() < 0.5:
                    at = rng.randrange(4)
                    value = [self.value(rng, 1) for _ in range(at)] + [value]
                    steps.append(f"[{at}]")
                else:
                    value = {**{f"x{i}": self.value(rng, 1) for i in range(3)}, "bad": value}
                    steps.append(".bad")
            with self.subTest(round=round), self.assertRaises(walk.NotJson) as caught:
                encoded(value)
            self.assertEqual(caught.exception.path, "$" + "".join(reversed(steps)))


class _Int(int):
    pass


class _Str(str):
    pass


class _Float(float):
    pass


class _List(list):
    pass


class _Dict(dict):
    pass


class Hints(unittest.TestCase):
    def test_names(self):
        self.assertEqual(hints.named(int), "an int")
        self.assertEqual(hints.hint_for(object), None)
        self.assertIn("asdict", hints.hint_for(_dataclass()))


def _dataclass():
    import dataclasses

    return dataclasses.make_dataclass("Row", ["x"])


@unittest.skipUnless(hasattr(sys, "set_int_max_str_digits"), "no digit limit in this Python")
class Digits(unittest.TestCase):
    def test_the_limit_is_lifted_only_in_the_cell(self):
        self.assertEqual(sys.get_int_max_str_digits(), 4300)


if __name__ == "__main__":
    unittest.main()
