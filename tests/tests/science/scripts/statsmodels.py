import numpy as np
import pandas as pd
import statsmodels.api as sm
import statsmodels.formula.api as smf


def main():
    x = np.arange(20.0)
    y = 3 * x + 2 + np.sin(x)
    fit = sm.OLS(y, sm.add_constant(x)).fit()
    formula = smf.ols("y ~ x", pd.DataFrame({"x": x, "y": y})).fit()
    return {
        "parameters": np.round(fit.params, 6).tolist(),
        "formula": np.round(formula.params.to_numpy(), 6).tolist(),
        "summary": "R-squared" in str(fit.summary()),
    }
