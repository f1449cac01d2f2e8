import numpy as np
import xgboost


def main():
    x = np.arange(200.0).reshape(100, 2)
    y = (x[:, 0] > 100).astype(int)
    model = xgboost.XGBClassifier(n_estimators=5, max_depth=2, n_jobs=2).fit(x, y)
    model.save_model("model.json")
    again = xgboost.XGBClassifier()
    again.load_model("model.json")
    return {
        "score": model.score(x, y),
        "again": again.predict(x).tolist() == model.predict(x).tolist(),
    }
