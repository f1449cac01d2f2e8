import sympy


def main():
    x = sympy.symbols("x")
    return {
        "solved": [str(root) for root in sympy.solve(x**2 - 5 * x + 6, x)],
        "integral": str(sympy.integrate(sympy.sin(x) * x, x)),
        "limit": str(sympy.limit(sympy.sin(x) / x, x, 0)),
        "digits": str(sympy.pi.evalf(30)),
        "value": float(sympy.lambdify(x, x**2 + 1, "math")(3)),
    }
