"""A book that is kept fresh says what the engine says."""

from __future__ import annotations

import json
from datetime import datetime, timezone

from conftest import MOOD, subscription

from healthfold import Engine, Model


def test_a_watch_says_what_the_engine_says(book: Engine) -> None:
    model = Model(MOOD)
    watch = book.watch(model, as_of="2026-03-31", period="2026-03")
    assert watch.health() == book.book_health(model, as_of="2026-03-31")
    assert watch.as_of == datetime(2026, 3, 31, 23, 59, 59, 999999, tzinfo=timezone.utc)
    mood = {"id": "m2", "source": "crm", "type": "client.sentiment_set", "subject": "birch"}
    book.apply([{**mood, "time": "2026-03-20T00:00:00Z", "data": {"value": 20}}, subscription(9, "acme", "150", "2026-03-30T00:00:00Z")])
    refreshed = watch.refresh(as_of="2026-03-31")
    assert (refreshed.clients, refreshed.whole) == (2, False)
    assert watch.health() == book.book_health(model, as_of="2026-03-31")
    # 20 x 3/4, and nobody active, capped at 40.
    assert watch.score("birch") == (15.0, "red") and watch.score("nobody") is None
    report, whole = watch.revenue(), book.revenue("2026-03").total
    assert report is not None and report.total is not None and whole is not None
    # 180, and 20 more of acme.
    assert report.total.closing == whole.closing and report.total.closing.mrr == 200
    assert json.loads(report.to_json())["total"]["churn"] == {"mrr": "80", "arr": "960"}
    assert book.watch(model, as_of="2026-03-31", only="paying").revenue() is None
