import numba
import numpy as np


@numba.njit
def total(values):
    result = 0.0
    for value in values:
        result += value
    return result


@numba.vectorize
def twice(value):
    return 2 * value


def main():
    # Without executable memory numba runs plain Python: see NUMBA_DISABLE_JIT.
    return {"total": total(np.arange(10.0)), "twice": twice(3.0).item()}
