import duckdb
import pandas as pd


def main():
    frame = pd.DataFrame({"k": ["a", "b", "a"], "v": [1, 2, 3]})
    grouped = duckdb.sql("select k, sum(v) as s from frame group by k order by k").fetchall()
    frame.to_csv("t.csv", index=False)
    read = duckdb.sql("select max(v) from read_csv('t.csv')").fetchall()
    with duckdb.connect("t.duckdb") as database:
        database.execute("create table t as select range as n from range(100000)")
        total = database.execute("select sum(n)::bigint from t").fetchall()
    return {"grouped": grouped, "read": read, "total": total}
