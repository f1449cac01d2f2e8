import numpy as np
from scipy import integrate, linalg, optimize, sparse, stats


def main():
    area, _ = integrate.quad(lambda x: x * x, 0, 3)
    root = optimize.brentq(lambda x: x**3 - 8, 0, 5)
    least = optimize.minimize(lambda p: (p[0] - 1) ** 2 + (p[1] + 2) ** 2, [0, 0])
    banded = sparse.diags([1, 2, 1], [-1, 0, 1], shape=(4, 4)).toarray()
    return {
        "area": round(area, 9),
        "root": round(root, 9),
        "least": np.round(least.x, 3).tolist(),
        "determinant": round(float(linalg.det(banded)), 9),
        "t": round(float(stats.ttest_ind([1, 2, 3, 4], [2, 3, 4, 5]).pvalue), 9),
    }
