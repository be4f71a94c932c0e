"""Fits and asks models of lifetimes with healthfold and with lifetimes and lifelines, on the same generated clients.

`cargo xtask bench --lifetimes` calls it with the program and the Python packages in place. Each takes its turn, and the
answers must agree before a time is printed.
"""

import argparse
import json
import subprocess
import sys
import time
import warnings
from pathlib import Path
from statistics import median

warnings.simplefilter("ignore")

import lifelines
import lifetimes
import pandas as pd

# How far answers may differ: lifetimes stops its climb a little early.
TOLERANCE = 1e-5


def theirs(folder):
    """The same jobs as `lifetimes fit`, in the same order."""
    clients = pd.read_csv(folder / "buyers.csv")
    spells = pd.read_csv(folder / "spells.csv")
    columns = (clients["frequency"], clients["recency"], clients["age"])
    model = lifetimes.BetaGeoFitter()
    curve = lifelines.KaplanMeierFitter()

    def fit():
        return model.fit(*columns).params_[["r", "alpha", "a", "b"]].tolist()

    def year():
        return [float(model.conditional_expected_number_of_purchases_up_to_time(52.0, *columns).sum())]

    def alive():
        return [float(model.conditional_probability_alive(*columns).sum())]

    def survival():
        return curve.fit(spells["days"], spells["ended"]).predict([90.0, 365.0, 1000.0]).tolist()

    for job in (fit, year, alive, survival):
        begun = time.perf_counter()
        values = job()
        yield time.perf_counter() - begun, values


def ours(binary, folder):
    said = subprocess.run([binary, "fit", folder], stdout=subprocess.PIPE, check=True).stdout
    return [json.loads(line) for line in said.splitlines()]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--clients", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    subprocess.run([asked.binary, "write", asked.folder, "--clients", str(asked.clients)], check=True)
    jobs, wrong = {}, False
    for _ in range(asked.rounds):
        for own, (seconds, values) in zip(ours(asked.binary, asked.folder), theirs(asked.folder), strict=True):
            if any(abs(mine - other) > TOLERANCE * abs(other) for mine, other in zip(own["values"], values, strict=True)):
                print(f"{own['name']}: {own['values']}, theirs {values}", file=sys.stderr)
                wrong = True
            times = jobs.setdefault(own["name"], ([], []))
            times[0].append(own["seconds"])
            times[1].append(seconds)
    print(f"{asked.clients:,} clients; lifetimes {lifetimes.__version__}, lifelines {lifelines.__version__}; medians of {asked.rounds}")
    print(f"{'':<36}{'healthfold':>12}{'theirs':>12}{'times':>8}")
    for name, (own, other) in jobs.items():
        print(f"{name:<36}{median(own):>11.3f}s{median(other):>11.3f}s{median(other) / median(own):>7.1f}x")
    if wrong:
        sys.exit("the answers differ")


if __name__ == "__main__":
    main()
