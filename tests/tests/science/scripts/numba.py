import numba
import numpy as np


@numba.njit
def total(values):
    result = 0.0
    for value in values:
        result += value
    return result


def main():
    # Without executable memory numba runs plain Python: see NUMBA_DISABLE_JIT. `vectorize` does not
    # heed it, and ends in SIGSEGV.
    return {"total": total(np.arange(10.0))}
