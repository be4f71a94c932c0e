"""What the contestants written in Python share: the question, and how an answer is written down.

The question is the same for all (docs/performance.md): the client table as of some days, and twelve months of revenue.
The score is read from model.json, so that every contestant has the same curves and weights.
"""

import argparse
import json
import time
from datetime import date, timedelta
from pathlib import Path

LAST_MONTH = (2026, 3)
MODEL = json.loads((Path(__file__).parent / "model.json").read_text())
# Every part as (group, signal, weight, points of the curve, points where it is missing or None), in order.
PARTS = [
    (
        number,
        part["signal"],
        part["weight"],
        part["curve"]["points"],
        part["missing"]["points"] if "missing" in part else None,
    )
    for number, group in enumerate(MODEL["groups"])
    for part in group["parts"]
]
SIGNALS = [signal for _, signal, *_ in PARTS]
GROUP_WEIGHTS = [group["weight"] for group in MODEL["groups"]]
BANDS = [(band["from"], band["name"]) for band in MODEL["bands"]]
MIN_COVERAGE = MODEL["min_coverage"]
TOLERANCE = 1e-9
METRICS = ["reports", "exports", "calls"]
LINES = ["opening", "new", "reactivation", "expansion", "contraction", "churn", "closing"]
HEADS = ["opening_clients", "new_clients", "reactivated_clients", "churned_clients", "closing_clients"]


def first_of_month(months_later):
    """The first day of the month so many months after the last one of the log."""
    number = LAST_MONTH[0] * 12 + LAST_MONTH[1] - 1 + months_later
    return date(number // 12, number % 12 + 1, 1)


# The starts of the twelve months, and the end of the last.
BOUNDARIES = [first_of_month(month) for month in range(-11, 2)]


def month_ends(count):
    """The last days of the last `count` months."""
    return [first_of_month(month + 1) - timedelta(days=1) for month in range(1 - count, 1)]


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True, help="the folder of the log and its tables")
    parser.add_argument("--source", choices=["parquet", "ndjson"], default="ndjson")
    parser.add_argument("--decoder", choices=["orjson", "json"], default="orjson", help="of the plain fold")
    parser.add_argument("--once", action="store_true", help="let no event count twice that comes twice")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--instants", type=int, choices=[1, 12], default=1)
    parser.add_argument("--fresh", type=int, default=0, help="the time from so many last lines to fresh answers")
    parser.add_argument("--answers", type=Path, help="write the answers here, after the clock has stopped")
    parser.add_argument("--plant", action="store_true", help="get one answer wrong")
    return parser.parse_args()


def rates(month):
    """A month's row with its rates, from its lines, its heads, and what its opening clients pay at closing."""
    opening, retained, kept = month["opening"], month.pop("retained"), month.pop("kept")
    month["nrr"] = retained / opening if opening else None
    month["grr"] = kept / opening if opening else None
    heads = month["opening_clients"]
    month["logo_churn"] = month["churned_clients"] / heads if heads else None
    return month


def finish(args, version, begun, loaded, tables, months):
    """Stops the clock, says how long it took and writes the answers down.

    `tables` holds for each day a function that gives its rows (client, readings..., score, band), `months` the twelve rows.
    """
    done = time.perf_counter()
    seconds = {"load": loaded - begun, "ask": done - loaded, "seconds": done - begun}
    print(json.dumps({"version": version, **seconds}))
    if not args.answers:
        return
    with args.answers.open("w") as out:
        for number, (day, rows) in enumerate(tables, 1):
            rows = sorted(rows())
            if args.plant and number == len(tables):
                rows[-1] = (*rows[-1][:-2], (rows[-1][-2] or 0) + 1e-6, rows[-1][-1])
            for client, *readings, score, band in rows:
                row = {"as_of": str(day), "client": client, "readings": readings, "score": score, "band": band}
                if args.fresh:
                    del row["readings"]
                out.write(json.dumps(row, separators=(",", ":")) + "\n")
        for month in months:
            out.write(json.dumps(month) + "\n")
