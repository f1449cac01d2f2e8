import lightgbm
import numpy as np


def main():
    x = np.arange(400.0).reshape(200, 2)
    y = (x[:, 0] > 200).astype(int)
    model = lightgbm.LGBMClassifier(n_estimators=5, n_jobs=2, verbose=-1).fit(x, y)
    model.booster_.save_model("model.txt")
    again = lightgbm.Booster(model_file="model.txt")
    return {
        "score": model.score(x, y),
        "again": np.allclose(again.predict(x), model.predict_proba(x)[:, 1]),
    }
