import numba
import numpy as np


@numba.njit
def total(values):
    result = 0.0
    for value in values:
        result += value
    return result


@numba.vectorize([numba.float64(numba.float64, numba.float64)])
def hypotenuse(one, other):
    return (one * one + other * other) ** 0.5


def main():
    # The signatures are empty where nothing was compiled.
    result = total(np.arange(10.0))
    return {
        "total": result,
        "compiled": len(total.signatures),
        "hypotenuse": hypotenuse(np.array([3.0, 5.0]), np.array([4.0, 12.0])).tolist(),
    }
