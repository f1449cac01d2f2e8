import io

import matplotlib.pyplot as plt


def main():
    figure, axes = plt.subplots()
    axes.plot([1, 2, 3], [1, 4, 9], label="squares")
    axes.legend()
    axes.set_title("$x^2$")
    figure.savefig("plot.png")
    vector = io.StringIO()
    figure.savefig(vector, format="svg")
    with open("plot.png", "rb") as file:
        kind = file.read(8)
    return {"png": kind == b"\x89PNG\r\n\x1a\n", "svg": "</svg>" in vector.getvalue()}
