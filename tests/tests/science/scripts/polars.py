import polars as pl


def main():
    frame = pl.DataFrame({"k": ["a", "b", "a"], "v": [1, 2, 3]})
    frame.write_csv("t.csv")
    frame.write_parquet("t.parquet")
    grouped = frame.lazy().group_by("k").agg(pl.col("v").sum()).sort("k").collect()
    joined = pl.read_csv("t.csv").join(frame, on="k").sort("v", "v_right")
    scanned = pl.scan_parquet("t.parquet").filter(pl.col("v") > 1).collect()
    return {
        "grouped": grouped.rows(),
        "joined": joined.height,
        "scanned": scanned["v"].to_list(),
        "sql": pl.sql("select sum(v) as s from frame").collect().item(),
    }
