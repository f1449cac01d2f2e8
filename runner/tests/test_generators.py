"""Generators that packages made before the fork draw other numbers in each fork."""

import os
import random
import unittest

import numpy_or_skip
from cellblock_runner import generators, seed


def in_fork(draw):
    """What `draw` returns in a fork that was seeded as a cell is."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        seed.reseed()
        os.write(writing, repr(draw()).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with open(reading) as pipe:
        return pipe.read()


class Stubborn(random.Random):
    """A class of a package that cannot be seeded as its base can."""

    __slots__ = ("gauss_next",)

    def __init__(self):
        super().__init__()
        self.fails = True

    def __setattr__(self, name, value):
        if name == "gauss_next" and "fails" in vars(self):
            raise TypeError(name)
        super().__setattr__(name, value)


class Generators(unittest.TestCase):
    def draws(self, draw):
        seed.prepare()
        return {in_fork(draw) for _ in range(6)}

    def test_of_python(self):
        made = random.Random()
        made.gauss(0, 1)  # leaves the second half of a pair
        self.assertEqual(len(self.draws(made.random)), 6)
        self.assertEqual(len(self.draws(lambda: made.gauss(0, 1))), 6)

    def test_with_a_seed_of_its_own_it_stays(self):
        watch = generators.watch()
        given, drawn = random.Random(7), random.Random()
        keyword = random.Random()
        keyword.seed(a=7)
        watch.stop()
        self.assertEqual(self.draws(given.random), {repr(random.Random(7).random())})
        self.assertEqual(self.draws(keyword.random), {repr(random.Random(7).random())})
        self.assertEqual(len(self.draws(drawn.random)), 6)

    def test_what_cannot_be_seeded_is_told(self):
        stubborn = Stubborn()
        seed.prepare()
        told = [sentence for sentence in seed.repeating() if "Stubborn" in sentence]
        self.assertEqual(len(told), 1)
        del stubborn

    @numpy_or_skip.needs_numpy
    def test_of_numpy(self):
        import numpy

        kinds = ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64")
        for kind in kinds:
            with self.subTest(kind):
                made = numpy.random.Generator(getattr(numpy.random, kind)())
                self.assertEqual(len(self.draws(made.random)), 6)
                given = numpy.random.Generator(getattr(numpy.random, kind)(7))
                self.assertEqual(len(self.draws(given.random)), 1)
        made = numpy.random.RandomState()
        made.normal()
        self.assertEqual(len(self.draws(made.normal)), 6)
        given = numpy.random.RandomState(7)
        self.assertEqual(self.draws(given.rand), {repr(numpy.random.RandomState(7).rand())})


if __name__ == "__main__":
    unittest.main()
