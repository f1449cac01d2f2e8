"""What an honest script does with numpy and pandas."""

import io

import numpy as np
import pandas as pd


def arrays():
    random = np.random.default_rng(7)
    matrix = random.normal(size=(200, 200))
    assert np.allclose(np.linalg.inv(matrix) @ matrix, np.eye(200), atol=1e-6)
    values, vectors = np.linalg.eigh(matrix @ matrix.T)
    assert values.shape == (200,) and vectors.shape == (200, 200)
    assert np.allclose(np.fft.ifft(np.fft.fft(matrix)).real, matrix)
    assert np.sort(random.permutation(1000)).tolist() == list(range(1000))
    np.save("a.npy", matrix)
    assert np.array_equal(np.load("a.npy", mmap_mode="r"), matrix)
    matrix.tofile("a.bin")
    assert np.fromfile("a.bin").size == 40000
    shared = np.memmap("m.bin", dtype="f8", mode="w+", shape=(100,))
    shared[:] = 1
    shared.flush()
    np.random.seed(3)
    assert np.random.rand() < 1


def frames():
    frame = pd.DataFrame(
        {"k": list("abab"), "v": [1, 2, 3, 4], "t": pd.date_range("2024-01-01", periods=4)}
    )
    assert frame.groupby("k")["v"].sum().to_dict() == {"a": 4, "b": 6}
    assert len(frame.merge(frame, on="k")) == 8
    frame.to_csv("f.csv", index=False)
    assert pd.read_csv("f.csv", parse_dates=["t"]).equals(frame)
    assert pd.read_json(io.StringIO(frame.to_json(orient="records"))).shape == (4, 3)
    assert frame.set_index("t").resample("2D")["v"].mean().tolist() == [1.5, 3.5]
    assert frame.pivot_table(index="k", values="v", aggfunc="max")["v"].tolist() == [3, 4]
    assert frame["v"].rolling(2).mean().iloc[-1] == 3.5
    frame.to_pickle("f.pkl")
    assert frame.describe().loc["mean", "v"] == 2.5


def main():
    arrays()
    frames()
    return True
