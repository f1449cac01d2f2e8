import pandas as pd


def main():
    frame = pd.DataFrame({"key": ["a", "b", "a"], "value": [1.0, 2.0, 3.0]})
    return [[key, value] for key, value in frame.groupby("key")["value"].sum().items()]
