"""How long calls from Python take, beside the same in Rust: `cargo xtask bench --python` (not a test).

Rows of usage by `apply_table`, in turn with the same rows by the program of benches/rows.rs; the overhead of one `score`, a
whole book's scores as columns.
"""

from __future__ import annotations

import datetime as dt
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import polars as pl

from healthfold import Engine, Model


def took(call: Callable[[], object]) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def main(rows: int, beside: str | None) -> None:
    start = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)
    place = pl.int_range(rows, eager=True)
    table = pl.DataFrame(
        {
            "id": place.cast(pl.String),
            "subject": (place % 5_000).cast(pl.String),
            "time": (place % 89 * 86_400_000_000 + int(start.timestamp() * 1e6)).cast(pl.Datetime("us", "UTC")),
            "metric": pl.Series(["reports", "exports", "alerts"]).gather(place % 3),
            "count": place % 7 + 1,
        }
    )
    here: list[float] = []
    there: list[float] = []
    for _ in range(3 if beside else 1):
        engine = Engine()
        here.append(took(lambda: engine.apply_table("usage.counted", table, source="app")))
        if beside:
            ran = subprocess.run([beside, str(rows)], capture_output=True, text=True, check=True)
            there.append(float(ran.stdout))
    seconds = statistics.median(here)
    print(f"apply_table: {rows:,} rows in {seconds:.2f} s, {rows / seconds / 1e6:.2f} million a second")
    if there:
        rust = statistics.median(there)
        print(f"the same in Rust: {rust:.2f} s; Python takes {seconds / rust:.2f} times that (medians of 3 in turn)")
    model = Model.default()
    n = 5_000
    one = took(lambda: [engine.score(str(k), model, as_of="2026-03-31") for k in range(n)]) / n
    print(f"score: {one * 1e6:.1f} us a call with its object")
    spec = {"kind": "usage_sum", "metric": "reports", "days": 7}
    signal = took(lambda: [engine.signal(str(k), spec, as_of="2026-03-31") for k in range(n)]) / n
    print(f"signal: {signal * 1e6:.1f} us a call")
    print(f"scores: {took(lambda: engine.scores(model, as_of='2026-03-31')) * 1e3:.0f} ms for all clients, rows unread")
    print(f"score_table: {took(lambda: engine.score_table(model, as_of='2026-03-31')) * 1e3:.0f} ms for all clients")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000, sys.argv[2] if len(sys.argv) > 2 else None)
