"""What tests share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import healthfold

ROOT = Path(__file__).resolve().parents[2]


def usage(n: int, client: str = "acme", day: str = "2026-01-05", **data: object) -> dict[str, Any]:
    """An event of usage; what it counts may be said."""
    data = {"metric": "reports", **data}
    time = f"{day}T10:00:00Z"
    return {"id": f"u{n}", "source": "app", "type": "usage.counted", "subject": client, "time": time, "data": data}


def subscription(n: int, client: str, amount: object, time: str, **data: object) -> dict[str, Any]:
    """A monthly subscription in USD."""
    data = {
        "subscription": f"s-{client}",
        "status": "active",
        "amount": amount,
        "currency": "USD",
        "interval": {"unit": "month"},
        **data,
    }
    return {
        "id": f"b{n}",
        "source": "billing",
        "type": "billing.subscription_set",
        "subject": client,
        "time": time,
        "data": data,
    }


MOOD = {
    "name": "mood",
    "signals": {"mood": {"kind": "sentiment"}, "wau": {"kind": "active_users", "days": 7}},
    "groups": [
        {
            "name": "voice",
            "parts": [
                {"signal": "mood", "weight": 3, "curve": {"points": [[0, 0], [100, 100]]}},
                {"signal": "wau", "curve": {"points": [[0, 0], [4, 100]]}},
            ],
        }
    ],
    "limits": [{"name": "quiet", "when": {"signal": "wau", "below": 1}, "cap": 40}],
    "bands": [{"name": "red", "from": 0}, {"name": "yellow", "from": 40}, {"name": "green", "from": 70}],
}
"""A model whose scores are worked out by hand below."""


@pytest.fixture
def book() -> healthfold.Engine:
    """Three clients: acme grows from 100 to 130, birch leaves with 80, cedar comes with 50."""
    engine = healthfold.Engine()
    applied = engine.apply(
        [
            subscription(1, "acme", "100", "2026-01-05T10:00:00Z"),
            subscription(2, "birch", "80", "2026-01-06T10:00:00Z"),
            subscription(3, "acme", "130", "2026-03-05T10:00:00Z"),
            subscription(4, "birch", "80", "2026-03-10T10:00:00Z", status="cancelled"),
            subscription(5, "cedar", "50", "2026-03-12T10:00:00Z"),
            usage(1, "acme", "2026-03-20", user="u-1"),
            usage(2, "acme", "2026-03-25", user="u-2"),
            usage(3, "cedar", "2026-03-26", user="u-3"),
            {
                "id": "m1",
                "source": "crm",
                "type": "client.sentiment_set",
                "subject": "acme",
                "time": "2026-03-02T00:00:00Z",
                "data": {"value": 80},
            },
        ]
    )
    assert (applied.applied, applied.rejected) == (9, ())
    return engine
