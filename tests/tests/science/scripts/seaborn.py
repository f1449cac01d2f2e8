import pandas as pd
import seaborn as sns


def main():
    frame = pd.DataFrame({"a": [1, 2, 3, 4], "b": [2, 4, 6, 9], "k": list("xyxy")})
    axes = sns.scatterplot(frame, x="a", y="b", hue="k")
    grid = sns.catplot(frame, x="k", y="b", kind="bar", errorbar=None)
    grid.savefig("grid.png")
    return {
        "points": len(axes.collections[0].get_offsets()),
        "bars": sorted(float(bar.get_height()) for bar in grid.ax.patches if bar.get_height()),
    }
