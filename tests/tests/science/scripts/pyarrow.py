import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq


def main():
    table = pa.table({"k": ["a", "b", "a"], "v": [1, 2, 3]})
    pq.write_table(table, "t.parquet", compression="snappy")
    back = pq.read_table("t.parquet")
    pd.DataFrame({"a": [1, 2]}).to_parquet("p.parquet")
    frame = pd.read_parquet("p.parquet")
    grouped = table.group_by("k").aggregate([("v", "sum")]).sort_by("k")
    ds.write_dataset(table, "set", format="parquet", partitioning=["k"])
    found = ds.dataset("set", partitioning=["k"]).to_table(filter=pc.field("v") > 1)
    return {
        "equal": back.equals(table),
        "pandas": frame["a"].tolist(),
        "grouped": grouped.to_pydict(),
        "found": sorted(found["v"].to_pylist()),
    }
