"""What a notebook shows: well-formed, escaped, with the figures in it; and pictures that can be drawn."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from conftest import MOOD, subscription, usage

import healthfold
from healthfold import Engine, Model, plot


class Balanced(HTMLParser):
    """Fails on tags that are not closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def shown(result: Any) -> str:
    html = result._repr_html_()
    assert html is not None
    parser = Balanced()
    parser.feed(html)
    assert parser.open == []
    # Nothing is loaded from elsewhere, and nothing runs.
    assert "<script" not in html and "http" not in html
    return " ".join(text.strip() for text in parser.text if text.strip())


def test_scores(book: Engine) -> None:
    text = shown(book.score("acme", MOOD, as_of="2026-03-26"))
    assert "acme: 72.5" in text and "voice › mood" in text and "as of 26 Mar 2026" in text
    assert "never seen" in shown(book.score("birch", "default", as_of="2026-03-26"))
    text = shown(book.scores(MOOD, as_of="2026-03-26"))
    assert "acme 72.5" in text and "cedar" in text
    assert "→" in shown(book.explain_change("acme", MOOD, start="2026-03-02", end="2026-03-26"))


def test_models() -> None:
    for name in Model.shipped():
        assert f"Model {name}" in shown(Model(name))
    assert "mood" in shown(Model(MOOD))
    a_set = {"name": "both", "models": [{"when": {"paying": True}, "model": MOOD}, {"model": MOOD}]}
    assert "a set of 2 models" in shown(Model(a_set))


def test_money(book: Engine) -> None:
    text = shown(book.revenue("2026-03", group_by="owner"))
    assert "opening 180" in text and "churn −80 1" in text and "NRR 72.2 %" in text
    assert "Jan 2026" in shown(book.revenue_series(start="2026-01-01", end="2026-04-01"))
    assert "birch churn 80" in shown(book.movements("2026-03"))
    assert "2026-01 2 100 % 100 % 50 %" in shown(book.cohorts(as_of="2026-04-01"))


def test_what_was_rejected_and_why() -> None:
    engine = Engine()
    text = shown(engine.apply([usage(1), {**usage(2), "time": "<b>soon</b>"}]))
    assert "1 applied" in text and "1 rejected" in text and "bad time" in text and "<b>soon" in text
    assert "<b>soon" not in (engine.apply({**usage(2), "time": "<b>soon</b>"})._repr_html_() or "")


def test_names_are_text() -> None:
    engine = Engine()
    engine.apply(usage(1, "<script>alert(1)</script>"))
    assert "<script>alert" in shown(engine.scores("default", as_of="2026-01-06"))


def test_every_result_says_something(book: Engine) -> None:
    rows = book.timeline("acme", start="2026-01-01", end="2026-04-01")
    assert "usage.counted" in shown(rows) and "no rows" in shown(rows[:0])
    assert book.book_health(MOOD, as_of="2026-03-26")._repr_html_() is None
    assert repr(book.book_health(MOOD, as_of="2026-03-26")).startswith("BookHealth(")


def test_pictures(book: Engine, tmp_path: Path) -> None:
    model = Model(MOOD)
    report = book.revenue("2026-03")
    simple = book.ltv(method="simple", as_of="2026-03-31")
    assert isinstance(simple, healthfold.SimpleLtv)
    charts = {
        "breakdown": plot.score_breakdown(book.score("acme", model, as_of="2026-03-26")),
        "history": plot.score_history(book.score_history("acme", model, start="2026-03-01", end="2026-03-31"), model.bands),
        "waterfall": plot.waterfall(report),
        "retention": plot.retention(book.revenue_series(start="2026-01-01", end="2026-04-01")),
        "cohorts": plot.cohort_heat_map(book.cohorts(as_of="2026-03-31"), money=True),
        "survival": plot.survival(book.lifetime(as_of="2026-03-31", group_by="owner")),
        "values": plot.ltv_distribution(simple),
        "flow": plot.band_flow(book.scores(model, as_of="2026-03-02"), book.scores(model, as_of="2026-03-26"), model.bands),
    }
    for name, chart in charts.items():
        chart.save(str(tmp_path / f"{name}.svg"))
        svg = (tmp_path / f"{name}.svg").read_text()
        assert svg.startswith("<svg") and len(svg) > 2_000
    assert "+50" in (tmp_path / "waterfall.svg").read_text()
    book.apply(subscription(9, "dill", "10", "2026-01-05T10:00:00Z", currency="EUR"))
    both = book.revenue("2026-03")
    with pytest.raises(ValueError, match="EUR, USD"):
        plot.waterfall(both)
    assert plot.waterfall(both, currency="EUR") is not None
    assert isinstance(both, healthfold.RevenueReport)
