"""Forks of one zygote must not share randomness."""

import random
import tempfile
import unittest
import uuid

import numpy_or_skip
from cellblock_runner import seed
from harness import run


class Seeds(unittest.TestCase):
    def check(self, script):
        answers = [run(script).text for _ in range(8)]
        self.assertEqual(len(set(answers)), 8)

    def test_standard_library(self):
        random.seed(1)
        next(tempfile._get_candidate_names())
        seed.prepare()
        for source in (
            "import random\ndef main(): return random.random()",
            "import tempfile, os\ndef main(): return os.path.basename(tempfile.mktemp())",
            "import multiprocessing\ndef main(): return multiprocessing.current_process().authkey.hex()",
            "import uuid\ndef main(): return str(uuid.uuid4())",
            "import ssl\ndef main(): return ssl.RAND_bytes(16).hex()",
            "import secrets\ndef main(): return secrets.token_hex()",
        ):
            with self.subTest(source):
                self.check(source)

    def test_random_node_of_uuid(self):
        import multiprocessing  # noqa: F401  drawn in the parent, as a zygote's preload would
        import ssl  # noqa: F401

        uuid._node = 5
        seed.prepare()
        script = "import uuid\ndef main(): return uuid._node"
        self.assertIsNone(run(script).result)

    @numpy_or_skip.needs_numpy
    def test_numpy(self):
        import numpy

        numpy.random.seed(1)
        seed.prepare()
        self.check("import numpy\ndef main(): return numpy.random.rand()")
        self.check("import numpy\ndef main(): return numpy.random.default_rng().random()")

    @numpy_or_skip.needs_numpy
    def test_numpy_by_its_state(self):
        import numpy

        seed.prepare()
        functions = [getattr(step, "func", None) for step in seed._steps]
        self.assertIn(seed._renew, functions, "this numpy keeps its state elsewhere")
        numpy.random.normal()  # leaves the second half of a pair behind
        seed.prepare()
        self.check("import numpy\ndef main(): return numpy.random.rand()")
        self.check("import numpy\ndef main(): return numpy.random.normal()")
        self.check("import numpy\ndef main(): return numpy.random.get_state()[1].tolist()[:9]")


if __name__ == "__main__":
    unittest.main()
