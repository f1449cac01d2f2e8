#!/usr/bin/env python3
"""How many instances a rate of runs takes, and what they cost: see docs/scaling.md.

    bench/scaling.py                                  prints the tables, of bench/scaling.json
    bench/scaling.py --take bench/results/latest.json takes the figures of a `make bench`

The model: runs arrive at random (Poisson), every instance gets each with the same chance, and has
one queue before its cores. A run holds a core for its service time, which is log-normal: its mean
is the processor time that `make bench` counted, and its tail is as long as the measured latency's
of two clients, one per core. So p99 here is the wait and the service of a run, without the network.
"""

import argparse
import heapq
import json
import math
import pathlib
import random

INPUT = pathlib.Path(__file__).with_name("scaling.json")
RATES = (10, 1_000, 100_000)
SCRIPTS = ("trivial", "numpy+pandas", "groupby")
ENGINES = ("warm", "cold")
RUNS = 60_000
# The normal distribution's 99th percentile, in standard deviations.
Z99 = 2.3263


def take(path: pathlib.Path) -> dict:
    report = json.loads(path.read_text())
    cores = report["machine"]["cores"]
    figures = {}
    for figure in report["figures"]:
        known = figure["system"] in ENGINES and figure["script"] in SCRIPTS
        if known and figure["clients"] == cores:
            figures[f"{figure['system']} {figure['script']}"] = {
                key: round(figure[key], 3) for key in ("p50_ms", "p99_ms", "runs_per_s", "cpu_ms")
            }
    old = json.loads(INPUT.read_text()) if INPUT.exists() else {}
    return {
        "targets_ms": old.get("targets_ms", {"warm": 50, "cold": 1000}),
        "prices": old.get("prices", {"currency": "USD", "core_hour": 0.04}),
        "cores": cores,
        "kernel": report["machine"]["kernel"],
        "figures": figures,
    }


def p99(rate: float, cores: int, mean: float, sigma: float) -> float:
    """Of wait and service together, in the unit of `mean`, where `rate` arrive in one unit."""
    random.seed(1)
    mu = math.log(mean) - sigma**2 / 2
    free = [0.0] * cores
    now, times = 0.0, []
    for _ in range(RUNS):
        now += random.expovariate(rate)
        start = max(now, heapq.heappop(free))
        end = start + random.lognormvariate(mu, sigma)
        heapq.heappush(free, end)
        times.append(end - now)
    # The first tenth sees a queue that is still filling.
    times = sorted(times[RUNS // 10 :])
    return times[int(len(times) * 0.99)]


def most(figure: dict, cores: int, target: float) -> float:
    """Runs in a second that one instance takes with its p99 at the target; 0 where none."""
    # What is counted as processor time is not all: capacity is what was measured.
    mean = max(figure["cpu_ms"], 1000 * cores / figure["runs_per_s"])
    sigma = math.log(figure["p99_ms"] / figure["p50_ms"]) / Z99
    low, high = 0.0, cores / mean
    for _ in range(12):
        middle = (low + high) / 2
        if p99(middle, cores, mean, sigma) <= target:
            low = middle
        else:
            high = middle
    return 1000 * low


def tables(data: dict) -> str:
    cores, price = data["cores"], data["prices"]["core_hour"]
    lines = [
        "| engine, script | runs/s per core, full | p99 target | runs/s per core at it | "
        + " | ".join(f"cores for {rate:,}/s".replace(",", " ") for rate in RATES)
        + f" | {data['prices']['currency']} per million runs |",
        "|---|" + "---|" * (len(RATES) + 4),
    ]
    for name, figure in data["figures"].items():
        target = data["targets_ms"][name.split()[0]]
        per_instance = most(figure, cores, target)
        needed = [cores * math.ceil(rate / per_instance) for rate in RATES]
        cost = cores * price / 3600 / per_instance * 1e6
        full = figure["runs_per_s"] / cores
        cells = [name.replace(" ", ", ", 1), f"{full:.1f}", f"{target} ms"]
        cells += [f"{per_instance / cores:.1f}", *map(str, needed), f"{cost:.3f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    shape = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=shape)
    parser.add_argument("--take", type=pathlib.Path, metavar="FILE", help="keep these figures")
    arguments = parser.parse_args()
    if arguments.take:
        INPUT.write_text(json.dumps(take(arguments.take), indent=2) + "\n")
    print(tables(json.loads(INPUT.read_text())))


if __name__ == "__main__":
    main()
