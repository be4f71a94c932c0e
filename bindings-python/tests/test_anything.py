"""Any Python object given as an event, a model, a signal, a time or a setting gives a result or a HealthfoldError."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from conftest import MOOD, usage
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from healthfold import Applied, Engine, HealthfoldError, InternalError, Model

FIELDS = ["id", "source", "type", "subject", "time", "data", "metric", "count", "name", "signals", "groups", "bands", "kind"]
leaves: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(), max_size=20),
    st.binary(max_size=20),
    st.decimals(),
    st.datetimes(),
    st.datetimes(timezones=st.timezones()),
    st.dates(),
    st.times(),
    st.timedeltas(),
    st.uuids(),
    st.complex_numbers(),
    st.fractions(),
    st.just(object()),
    st.just(int),
    st.just("\ud800"),
    st.just(Decimal("1E+999999")),
    st.integers(10**30, 10**40),
    st.sampled_from(["usage.counted", "billing.subscription_set", "default", "2026-01-05T10:00:00Z", "acme"]),
)
keys = st.one_of(st.sampled_from(FIELDS), st.text(max_size=5), st.integers(), st.none(), st.just("\udfff"))
objects = st.recursive(
    leaves,
    lambda inside: st.one_of(
        st.lists(inside, max_size=4),
        st.tuples(inside, inside),
        st.frozensets(st.text(max_size=3), max_size=3),
        st.dictionaries(keys, inside, max_size=6),
    ),
    max_leaves=20,
)
calm = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))


def answer(call: Any) -> Any:
    try:
        return call()
    except InternalError:
        raise
    except HealthfoldError as error:
        assert error.code and str(error)
        return None


@calm
@given(objects)
def test_anything_as_an_event(thing: Any) -> None:
    engine = Engine()
    for call in (lambda: engine.apply(thing), lambda: engine.apply([thing]), lambda: engine.apply({**usage(1), "data": thing})):
        assert isinstance(answer(call), Applied)
    answer(lambda: engine.apply([thing], strict=True))


@calm
@given(st.sampled_from(sorted(usage(1))), objects)
def test_anything_in_a_field_of_an_event(name: str, thing: Any) -> None:
    applied = Engine().apply({**usage(1), name: thing})
    assert applied.applied + sum(applied.rejected_by_code.values()) == 1


@calm
@given(objects)
def test_anything_as_a_model(thing: Any) -> None:
    answer(lambda: Model(thing))
    for name in MOOD:
        answer(lambda name=name: Model({**MOOD, name: thing}))


@calm
@given(objects)
def test_anything_as_a_question(thing: Any) -> None:
    engine = Engine()
    engine.apply(usage(1))
    answer(lambda: engine.signal("acme", thing, as_of="2026-01-06"))
    answer(lambda: engine.score("acme", "default", as_of=thing))
    answer(lambda: engine.revenue(thing))
    for name in ["as_of", "currency", "rates", "only_clients", "group_by", "model", "trailing", "week_factor", "seed"]:
        answer(lambda name=name: engine.revenue("2026-01", **{name: thing}))


def test_a_thing_within_itself() -> None:
    endless: list[Any] = []
    endless.append(endless)
    circle: dict[str, Any] = {}
    circle["data"] = circle
    for thing in (endless, circle):
        (rejection,) = Engine().apply([{**usage(1), "data": thing}]).rejected
        assert rejection.code == "limit_exceeded"
        answer(lambda thing=thing: Model({"name": thing}))


def test_a_number_without_end() -> None:
    # Python itself does not print it.
    applied = Engine().apply(usage(1, count=10**5000))
    assert [rejection.code for rejection in applied.rejected] == ["out_of_range"]


def test_a_thing_that_raises() -> None:
    class Angry(dict[str, Any]):
        def items(self) -> Any:
            raise RuntimeError("no")

    class Zone(dt.tzinfo):
        def utcoffset(self, when: dt.datetime | None) -> dt.timedelta:
            raise RuntimeError("no")

        def dst(self, when: dt.datetime | None) -> None: ...

        def tzname(self, when: dt.datetime | None) -> None: ...

    for thing in (Angry(a=1), dt.datetime(2026, 1, 5, tzinfo=Zone())):
        assert Engine().apply([{**usage(1), "data": {"metric": thing}}]).rejected
