# Run once in the zygote, after the imports: what is used here for the first time costs no cell
# anything later. Nothing random, and nothing that leaves a file or a thread behind.
import asyncio
import collections
import datetime
import decimal
import io
import json
import re

import numpy as np
import pandas as pd

frame = pd.DataFrame({"k": ["a", "b", "a"], "v": [1.0, 2.0, 3.0], "n": [1, 2, 3]})
frame.groupby("k").agg({"v": "mean", "n": "sum"}).reset_index()
frame.merge(frame, on="k").sort_values("v_x").describe()
frame.pivot_table(index="k", values="v", aggfunc="sum")
pd.read_csv(io.StringIO(frame.to_csv(index=False))).to_dict("records")
pd.read_json(io.StringIO(frame.to_json(orient="records")))
pd.to_datetime(pd.Series(["2024-01-01", "2024-02-01"])).dt.month.tolist()
repr(frame)
np.linalg.solve(np.eye(3) * 2.0, np.ones(3)).sum()
np.sort(np.arange(10.0)[::-1]).reshape(2, 5).mean(axis=0).tolist()
json.loads(json.dumps({"a": [1, 2.5, None]}))
re.sub(r"\d+", "x", "a1b22")
datetime.datetime(2024, 1, 1).isoformat()
str(decimal.Decimal("1.1") + 1)
collections.Counter("hello").most_common(1)
asyncio.run(asyncio.sleep(0))
del frame
