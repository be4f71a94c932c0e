"""What goes in and what comes out: exact numbers, aware instants, days, words."""

from __future__ import annotations

import copy
import enum
import json
import math
import pickle
import uuid
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from conftest import MOOD, subscription, usage

import healthfold
from healthfold import Engine, Model, QueryError, plot

AS_OF = "2026-03-31"


def test_decimals_come_back_exactly(book: Engine) -> None:
    total = book.revenue("2026-03").total
    assert total is not None
    # 180 + new 50 + expansion 30 - churn 80 = 180.
    assert (total.opening.mrr, total.new.mrr, total.expansion.mrr, total.churn.mrr, total.closing.mrr) == (
        Decimal(180),
        Decimal(50),
        Decimal(30),
        Decimal(80),
        Decimal(180),
    )
    assert isinstance(total.opening.arr, Decimal)
    assert total.nrr.value == 130 / 180


@pytest.mark.parametrize("amount", [Decimal("19.99"), "19.99", 19.99, np.float64(19.99)])
def test_an_amount_may_come_in_several_forms(amount: object) -> None:
    engine = Engine()
    assert engine.apply(subscription(1, "acme", amount, "2026-01-05T10:00:00Z")).applied == 1
    total = engine.revenue("2026-02").total
    assert total is not None and total.opening.mrr == Decimal("19.99")


def test_a_float_that_is_no_amount_is_refused() -> None:
    # 0.1 + 0.2 is 0.30000000000000004, which nobody meant.
    applied = Engine().apply(subscription(1, "acme", 0.1 + 0.2, "2026-01-05T10:00:00Z"))
    assert [(r.code, r.field) for r in applied.rejected] == [("out_of_range", "data.amount")]


@pytest.mark.parametrize("count", [3, np.int64(3), np.uint8(3), Decimal(3), "3", np.array(3)])
def test_a_count_may_come_in_several_forms(count: object) -> None:
    engine = Engine()
    assert engine.apply(usage(1, count=count)).applied == 1
    reading = engine.signal("acme", {"kind": "usage_sum", "metric": "reports", "days": 7}, as_of="2026-01-05")
    assert (reading.reading, reading.missing) == (3.0, None)


def test_instants_may_be_datetimes_of_any_zone() -> None:
    berlin = datetime(2026, 1, 5, 11, 0, tzinfo=ZoneInfo("Europe/Berlin"))
    utc = berlin.astimezone(timezone.utc)
    engine = Engine()
    assert engine.apply({**usage(1), "time": berlin}).applied == 1
    assert engine.apply({**usage(1), "time": utc}).duplicates == 1
    assert engine.span() == (utc, utc)
    span = engine.span()
    assert span is not None and span[0].tzinfo is timezone.utc


def test_a_fold_of_the_clock_is_two_instants() -> None:
    zone = ZoneInfo("Europe/Berlin")
    first = datetime(2026, 10, 25, 2, 30, tzinfo=zone, fold=0)
    second = datetime(2026, 10, 25, 2, 30, tzinfo=zone, fold=1)
    engine = Engine()
    engine.apply([{**usage(1), "time": first}, {**usage(2), "time": second}])
    assert engine.span() == (first.astimezone(timezone.utc), first.astimezone(timezone.utc) + timedelta(hours=1))


def test_a_naive_datetime_is_refused_with_advice(book: Engine) -> None:
    naive = datetime(2026, 1, 5, 10, 0)
    (rejection,) = Engine().apply({**usage(1), "time": naive}).rejected
    assert (rejection.code, rejection.field) == ("bad_time", "time")
    assert "ZoneInfo" in rejection.message
    with pytest.raises(healthfold.QueryError, match="no time zone") as caught:
        book.score("acme", "default", as_of=naive)
    assert caught.value.code == "bad_time"
    with pytest.raises(healthfold.QueryError) as caught:
        book.score("acme", "default", as_of=np.datetime64("2026-01-05"))  # type: ignore[arg-type]
    assert caught.value.code == "bad_time"


def test_a_date_is_its_last_microsecond(book: Engine) -> None:
    by_date = book.score("acme", "default", as_of=date(2026, 3, 31))
    last = datetime(2026, 3, 31, 23, 59, 59, 999999, tzinfo=timezone.utc)
    assert by_date.as_of == last
    assert by_date == book.score("acme", "default", as_of=last) == book.score("acme", "default", as_of="2026-03-31")


def test_periods(book: Engine) -> None:
    march = book.revenue("2026-03")
    assert march.period.start == datetime(2026, 3, 1, tzinfo=timezone.utc)
    pair = (date(2026, 3, 1), datetime(2026, 4, 1, tzinfo=timezone.utc))
    assert book.revenue(pair).total == march.total
    for odd in ["March", ("2026-03-01",), 7, (1, 2)]:
        with pytest.raises(healthfold.QueryError) as caught:
            book.revenue(odd)  # type: ignore[arg-type]
        assert caught.value.code in {"bad_period", "bad_time"}


def test_events_may_be_mappings_enums_and_uuids() -> None:
    class Type(enum.Enum):
        USAGE = "usage.counted"

    class Metric(str, enum.Enum):
        REPORTS = "reports"

    event = MappingProxyType(
        {**usage(1), "id": uuid.UUID(int=7), "type": Type.USAGE, "data": {"metric": Metric.REPORTS}}
    )
    engine = Engine()
    assert engine.apply(event).applied == 1
    assert engine.apply([json.dumps(usage(2)), json.dumps(usage(3)).encode(), usage(4)]).applied == 3
    assert engine.apply(iter([usage(5)])).applied == 1
    sums = engine.signal("acme", {"kind": "usage_sum", "metric": "reports", "days": 1}, as_of="2026-01-05")
    assert sums.reading == 5.0


def test_words_are_str_enums(book: Engine) -> None:
    # Nothing was ever heard of a ticket.
    reading = book.signal("acme", {"kind": "tickets_opened", "days": 30}, as_of=AS_OF)
    assert reading.missing is healthfold.Missing.NEVER_SEEN
    assert str(reading.missing) == "never_seen"
    kinds = {row.client: row.kind for row in book.movements("2026-03").rows}
    assert kinds == {"acme": "expansion", "birch": "churn", "cedar": "new"}
    assert book.scores("default", as_of=AS_OF, only="paying") == book.scores(Model.default(), as_of=AS_OF, only="paying")


def test_results_are_frozen_and_compare_and_pickle(book: Engine) -> None:
    score = book.score("acme", "default", as_of=AS_OF)
    with pytest.raises(AttributeError):
        score.score = 100.0  # type: ignore[misc]
    again = pickle.loads(pickle.dumps(score))
    assert again == score and hash(again) == hash(score) and copy.deepcopy(score) == score
    assert score != book.score("cedar", "default", as_of=AS_OF)
    report = book.revenue("2026-03", group_by="owner")
    assert pickle.loads(pickle.dumps(report)) == report
    assert json.loads(report.to_json())["total"]["opening"] == {"mrr": "180", "arr": "2160"}
    assert report.to_dict()["total"]["opening"] == {"mrr": Decimal(180), "arr": Decimal(2160)}
    assert "HealthScore(client='acme'" in repr(score)


def test_from_is_a_word_of_python(book: Engine) -> None:
    change = book.explain_change("acme", MOOD, start="2026-03-02", end=AS_OF)
    # On 2 March no user was ever heard of, so the mood alone counts. At the end 80 x 3/4, and one of 4 users: 25 x 1/4.
    assert (change.from_, change.to, change.delta) == (80.0, 66.25, -13.75)
    assert change.to_dict()["from"] == 80.0


def test_parts_add_up_to_the_score(book: Engine) -> None:
    # 80 x 3/4 of the mood, and 2 active users of 4: 50 x 1/4.
    score = book.score("acme", MOOD, as_of="2026-03-26")
    assert score.score == 72.5
    effects = sum(effect.effect for effect in (*score.adjustments, *score.limits))
    total = sum(part.contribution for part in score.parts) + effects + score.clamp
    assert math.isclose(total, score.score, abs_tol=1e-9)


def test_tables_are_sequences(book: Engine) -> None:
    scores = book.scores("default", as_of=AS_OF)
    assert [row.client for row in scores] == ["acme", "birch", "cedar"]
    assert scores[0].client == "acme" and scores[-1].client == "cedar" and len(scores[1:]) == 2
    assert len(scores) == 3 and scores[0] in scores and list(reversed(scores))[0] == scores[2]
    with pytest.raises(IndexError):
        scores[3]
    assert pickle.loads(pickle.dumps(scores)) == scores
    assert [row["client"] for row in json.loads(scores.to_json())] == ["acme", "birch", "cedar"]
    assert json.loads(scores.to_json()) == json.loads(scores[:].to_json())
    assert "Table" in repr(scores) and repr(scores[:0]) == "Table([])"


def test_engines_are_kept(book: Engine, tmp_path: Path) -> None:
    again = Engine.restore(book.snapshot())
    assert again.fingerprint() == book.fingerprint() == pickle.loads(pickle.dumps(book)).fingerprint()
    other = copy.copy(book)
    other.apply(usage(9, "dill"))
    assert "dill" in other.clients() and "dill" not in book.clients()
    empty = Engine()
    empty.merge(book)
    assert empty.fingerprint() == book.fingerprint()
    book.merge(book)
    assert empty.fingerprint() == book.fingerprint()
    assert book.anonymous_id("acme").startswith("erased-")
    book.seal("2026-02-15T00:00:00Z")
    assert book.sealed_before == datetime(2026, 2, 1, tzinfo=timezone.utc)
    assert repr(Engine()) == "<healthfold.Engine: 0 clients, no events, days in UTC>"


def test_ndjson_comes_from_anywhere(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps(usage(n)) for n in range(3)) + "\nnot json\n"
    path = tmp_path / "events.ndjson"
    path.write_text(lines)
    prints = set()
    with path.open("rb") as binary, path.open("r") as text:
        forms: list[Any] = [lines, lines.encode(), bytearray(lines.encode()), memoryview(lines.encode()), path, str(path), binary, text]
        for data in forms:
            engine = Engine()
            applied = engine.apply_ndjson(data)
            assert applied.applied == 3
            assert [(r.line, r.code) for r in applied.rejected] == [(4, "malformed_json")]
            prints.add(engine.fingerprint())
    assert len(prints) == 1
    with pytest.raises(FileNotFoundError):
        Engine().apply_ndjson(tmp_path / "nowhere.ndjson")


def test_models_come_in_every_form(tmp_path: Path) -> None:
    document = {
        "name": "tiny",
        "signals": {"mood": {"kind": "sentiment"}},
        "groups": [{"name": "voice", "parts": [{"signal": "mood", "curve": {"points": [[0, 0], [100, 100]]}}]}],
        "bands": [{"name": "red", "from": 0}, {"name": "green", "from": 60}],
    }
    model = Model(document)
    toml = """
name = "tiny"
bands = [{ name = "red", from = 0 }, { name = "green", from = 60 }]
[signals]
mood = { kind = "sentiment" }
[[groups]]
name = "voice"
parts = [{ signal = "mood", curve = { points = [[0, 0], [100, 100]] } }]
"""
    yaml = """
# A comment first.
name: tiny
signals:
  mood: {kind: sentiment}
groups:
  - name: voice
    parts: [{signal: mood, curve: {points: [[0, 0], [100, 100]]}}]
bands: [{name: red, from: 0}, {name: green, from: 60}]
"""
    for text, ending in [(json.dumps(document), "json"), (toml, "toml"), (yaml, "yaml")]:
        path = tmp_path / f"model.{ending}"
        path.write_text(text)
        forms: list[Any] = [text, text.encode(), path, str(path)]
        for form in forms:
            assert Model(form) == model, form
    assert Model(model) is not model and Model(model) == model and hash(Model(document)) == hash(model)
    assert (model.name, model.version, [band.name for band in model.bands]) == ("tiny", 1, ["red", "green"])
    assert model.to_dict() == document and Model(model.to_dict()) == model
    assert pickle.loads(pickle.dumps(model)) == model
    assert Model.shipped() == ("default", "usage_based", "high_touch")
    assert [Model(name).name for name in Model.shipped()] == list(Model.shipped())
    assert Model.usage_based("calls").to_dict()["signals"]["volume_trend"]["metric"] == "calls"
    assert Model.high_touch() == Model("high_touch")
    assert repr(model).startswith('Model("tiny", version=1')


def test_schemas() -> None:
    assert healthfold.model_schema()["$comment" if False else "title"]
    assert healthfold.event_schema()["title"]


def test_a_setting_that_is_a_model(book: Engine) -> None:
    by_band = book.revenue("2026-03", group_by="band", model="default")
    assert by_band.groups is not None and by_band.settings.model == Model.default().to_dict()
    assert by_band == book.revenue("2026-03", group_by="band", model=Model.default())


def test_values_of_other_questions(book: Engine) -> None:
    assert book.top(1, as_of=AS_OF).clients[0].client == "acme"
    observed = book.ltv(method="observed", as_of=AS_OF)
    assert isinstance(observed, healthfold.ObservedLtv)
    simple = book.ltv(method="simple", period="2026-03", margin=Decimal("0.8"))
    assert isinstance(simple, healthfold.SimpleLtv) and simple.margin == Decimal("0.8")
    cohorts = book.cohorts(as_of=AS_OF, start="2026-01", end=date(2026, 3, 1))
    assert [(row.cohort, row.clients) for row in cohorts.cohorts] == [("2026-01", 2), ("2026-03", 1)]
    series = book.revenue_series(start="2026-01-01", end="2026-04-01")
    assert [row.total.closing.mrr for row in series.rows if row.total] == [180, 180, 180]
    rates = [{"currency": "USD", "from": date(2026, 1, 1), "rate": Decimal("0.9")}]
    in_euros = book.revenue("2026-03", currency="EUR", rates=rates).total
    assert in_euros is not None and in_euros.opening.mrr == 162


def shop() -> Engine:
    """Forty buyers: buyer n first buys on the 1st and comes back n % 4 times, every 7 + n days, for 10 + n each."""
    engine = Engine()
    for n in range(40):
        for again in range(n % 4 + 1):
            day = date(2026, 1, 1) + timedelta(days=again * (7 + n))
            engine.apply(
                {
                    "id": f"{n}-{again}",
                    "source": "shop",
                    "type": "billing.charged",
                    "subject": f"b{n:02}",
                    "time": f"{day}T10:00:00Z",
                    "data": {"charge": f"{n}-{again}", "amount": 10 + n, "currency": "USD"},
                }
            )
    return engine


def test_how_long_clients_stay(book: Engine) -> None:
    life = book.lifetime(as_of=AS_OF, group_by="owner", bounds="log")
    assert isinstance(life, healthfold.Lifetime) and life.unit == "day" and life.groups is not None
    assert life.total.n == life.total.ended + life.total.censored == sum(group.n for group in life.groups)
    spells = book.spells(as_of=AS_OF, data_start="2026-02-01")
    assert spells.data_start == datetime(2026, 2, 1, tzinfo=UTC)
    assert [spell.entry_days for spell in spells.spells if spell.from_ < spells.data_start]
    with pytest.raises(QueryError, match="`bounds` must be one of log_log, log, plain"):
        book.lifetime(as_of=AS_OF, bounds="wide")  # type: ignore[arg-type]


def test_what_buyers_are_worth() -> None:
    engine = shop()
    summary = engine.rfm(as_of="2026-06-30", calibration_end=date(2026, 3, 31))
    # b07: 1, 15 and 29 January, 12 February; 42 days and 89.
    row = next(row for row in summary.clients if row.client == "b07")
    assert (row.frequency, row.recency_days, row.age_days, row.value, row.holdout_frequency) == (3, 42, 89, 17.0, 0)
    ltv = engine.ltv(method="bg_nbd", as_of="2026-06-30", margin=Decimal("0.5"), horizon_months=12)
    assert isinstance(ltv, healthfold.ModelLtv) and ltv.margin == Decimal("0.5") and ltv.alive is not None
    assert [model.model for model in ltv.models] == ["bg_nbd", "gamma_gamma"]
    assert len(ltv.clients) == 40
    for client in ltv.clients:
        assert (client.method, client.horizon, client.horizon_months) == (healthfold.LtvMethod.BG_NBD, "months", 12)
        assert client.p_alive is not None and 0 <= client.p_alive <= 1 and client.value is not None
    told = ltv.models[0].new_client
    assert told is not None and told.months == 12 and len(told.expected) == 12 and len(told.chances) == 21
    assert 0.9 < sum(told.chances) <= 1 + 1e-9 and list(told.expected) == sorted(told.expected)
    assert all(row.discounted == row.expected for row in ltv.clients), "nothing is discounted unless said"
    assert ltv.to_polars()["value"].to_list() == [row.value for row in ltv.clients]
    assert plot.alive_matrix(ltv).to_dict()["title"]["text"] == "The chance that a buyer is still there"
    with pytest.raises(QueryError) as refused:
        engine.ltv(method="sbg", as_of="2026-06-30")
    assert refused.value.code == "too_few"


def test_how_many_renew() -> None:
    """Twelve begin in January, six do not renew in February, two more not in March: sBG with alpha = beta = 1."""
    engine = Engine()
    for n in range(12):
        engine.apply({**subscription(n, f"c{n}", "10", "2026-01-01T00:00:00Z"), "id": f"{n}"})
        if n < 8:
            over = f"2026-0{2 if n < 6 else 3}-01T00:00:00Z"
            engine.apply({**subscription(n, f"c{n}", "10", over, status="cancelled"), "id": f"{n} over"})
    ltv = engine.ltv(method="sbg", as_of="2026-03-15", horizon_months=12)
    assert isinstance(ltv, healthfold.ModelLtv) and ltv.models[0].curve is not None
    first, second, third = ltv.models[0].curve[:3]
    assert (first.retention, second.due, second.renewed, third.due, third.renewed) == (None, 12, 6, 6, 4)
    assert third.survival == pytest.approx(1 / 3, abs=1e-6) and third.retention == pytest.approx(2 / 3, abs=1e-6)
    told = plot.renewals(ltv).to_dict()
    assert told["title"]["subtitle"] == "line: by sBG; dots: as seen"


def test_two_groups_of_trials() -> None:
    engine = Engine()
    for n in range(4):
        for status, day in (("trialing", "2026-01-01"), ("active" if n % 2 else "cancelled", "2026-01-15")):
            event = subscription(n, f"t{n}", "20", f"{day}T00:00:00Z", status=status)
            engine.apply({**event, "id": f"{n}{status}"})
        if n > 1:
            reached = {"id": f"m{n}", "source": "app", "type": "client.milestone_reached", "subject": f"t{n}"}
            engine.apply({**reached, "time": "2026-01-05T00:00:00Z", "data": {"milestone": "onboarded"}})
    split = {"by": "milestone", "milestone": "onboarded"}
    found = engine.compare_trials("2026-01", split=split, months=1, as_of="2026-03-31")
    assert found.split == split and (found.converted.with_.part, found.converted.with_.whole) == (1, 2)
    assert found.converted.difference.value == 0 and found.kept_of_converted.base == "converted"
