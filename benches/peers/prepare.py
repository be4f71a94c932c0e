"""Writes the tables of the log as Parquet, once, in the order of the log."""

import sys
from pathlib import Path

import duckdb

import duck

folder = Path(sys.argv[1])
db = duckdb.connect()
db.sql("SET enable_progress_bar = false")
db.execute(f"CREATE TEMP TABLE events AS {duck.read_events(folder / 'events.ndjson', named=True)}")
for name, of_events in duck.TABLES.items():
    # Tickets and invoices have keys; a table of what was stated, row by row, has the id of each statement.
    if name in ("subscriptions", "sentiment"):
        of_events = of_events.replace("SELECT", "SELECT id,", 1)
    # What comes in the order of the log stays in it; tickets and invoices are by when they began.
    order = {"tickets": "ORDER BY opened_at, ticket", "invoices": "ORDER BY issued_at, invoice"}.get(name, "")
    db.execute(f"COPY ({of_events} {order}) TO '{folder / name}.parquet' (FORMAT parquet, COMPRESSION zstd)")
