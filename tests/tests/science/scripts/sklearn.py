from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def main():
    x, y = make_classification(200, 6, random_state=1)
    forest = RandomForestClassifier(20, random_state=1, n_jobs=2).fit(x, y)
    line = make_pipeline(StandardScaler(), LogisticRegression())
    scores = cross_val_score(line, x, y, cv=3)
    return {
        "forest": round(forest.score(x, y), 6),
        "line": [round(score, 6) for score in scores.tolist()],
    }
