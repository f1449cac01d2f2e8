import h5py
import numpy as np


def main():
    with h5py.File("t.h5", "w") as file:
        file.create_dataset("a/b", data=np.arange(1000), compression="gzip", chunks=(100,))
        file["a"].attrs["unit"] = "m"
    with h5py.File("t.h5") as file:
        return {
            "sum": int(file["a/b"][...].sum()),
            "unit": file["a"].attrs["unit"],
            "slice": file["a/b"][10:13].tolist(),
        }
