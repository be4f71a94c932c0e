"""A panic at every guarded step of every exported call is an InternalError, the process goes on, and so does every other engine.

What is exported is asked, not listed, so that no new call can be forgotten.
"""

from __future__ import annotations

import inspect
from typing import Any, Callable, Iterator

import pyarrow as pa  # type: ignore[import-untyped, unused-ignore]
import pytest
from conftest import MOOD, subscription, usage

import healthfold
from healthfold import Engine, HealthfoldError, InternalError, Model, Watch
from healthfold._healthfold import _panic_after

AS_OF = "2026-03-31"
LINE = b'{"id":"1","source":"s","type":"usage.counted","subject":"acme","time":"2026-03-05T10:00:00Z","data":{"metric":"m"}}'


def small() -> Engine:
    engine = Engine()
    engine.apply([usage(1), subscription(1, "acme", "100", "2026-01-05T10:00:00Z")])
    return engine


# Something for each argument that must be given: that it is read, not that it is right.
GIVEN: dict[str, Callable[[], Any]] = {
    "as_of": lambda: AS_OF,
    "at": lambda: 0,
    "before": lambda: "2026-01-01",
    "benchmarks": lambda: [],
    "client": lambda: "acme",
    "data": lambda: LINE,
    "document": lambda: MOOD,
    "edges": lambda: [10.0],
    "end": lambda: AS_OF,
    "events": lambda: usage(2),
    "file": lambda: b"PAR1",
    "horizon_days": lambda: 30,
    "index": lambda: 0,
    "kinds": lambda: [{"type": "usage.counted", "source": "s"}],
    "memo": dict,
    "method": lambda: "observed",
    "metric": lambda: "reports",
    "milestones": lambda: ["first"],
    "model": lambda: MOOD,
    "model_a": lambda: MOOD,
    "model_b": lambda: MOOD,
    "n": lambda: 3,
    "other": small,
    "outcome": lambda: "retained",
    "parent": lambda: "holding",
    "period": lambda: "2026-03",
    "scorecard": lambda: {"name": "cs", "metrics": [{"metric": "logo_churn"}]},
    "snapshot": lambda: small().snapshot(),
    "spec": lambda: {"kind": "mrr"},
    "split": lambda: {"by": "segment", "segment": "x"},
    "start": lambda: "2026-03-01",
    "table": lambda: pa.table({"subject": ["acme"], "metric": ["m"]}),
    "targets": lambda: [],
    "text": lambda: "{}",
    "type": lambda: "usage.counted",
    "within_days": lambda: 30,
}
# What is given beside, or instead.
MORE: dict[str, dict[str, Any]] = {"ltv": {"as_of": AS_OF}, "score_tables": {"as_of": [AS_OF]}}
# They hold nothing that could panic: a name, a number, a word that is there already.
BARE = {f"Model.{name}" for name in ("bands", "default", "high_touch", "name", "shipped", "to_dict", "to_json", "usage_based", "version")}
BARE |= {"Model.__reduce__", "Model.__repr__", "Rows.row_class"}


def panics(name: str, prepare: Callable[[], Callable[[], Any]]) -> int:
    """Panics at the first step of what is prepared, then at the second, and so on. How many there are."""
    step = 0
    while True:
        step += 1
        call = prepare()
        _panic_after(step)
        error: BaseException | None = None
        try:
            call()
        except BaseException as caught:  # noqa: BLE001, a panic of pyo3 is no Exception
            error = caught
        # The step was not reached: there are no more.
        if _panic_after(0) > 0:
            assert error is None or isinstance(error, (HealthfoldError, ValueError, TypeError)), f"{name}: {error!r}"
            return step - 1
        assert isinstance(error, InternalError), f"{name}, step {step}: {error!r}"
        assert error.code == "internal" and "on purpose" in str(error)


def members(of: type) -> Iterator[str]:
    own = ("__copy__", "__deepcopy__", "__reduce__", "__repr__")
    return (name for name in dir(of) if not name.startswith("_") or (name in own and name in vars(of)))


def calls() -> Iterator[tuple[str, Callable[[], Callable[[], Any]]]]:
    makers: dict[type, Callable[[], Any]] = {
        Engine: small,
        Model: lambda: Model(MOOD),
        Watch: lambda: small().watch(MOOD, as_of=AS_OF),
    }
    for of, make in makers.items():
        for name in members(of):

            def prepare(name: str = name, of: type = of, make: Callable[[], Any] = make) -> Callable[[], Any]:
                # The same for what is static and for a property.
                thing = make()
                if not callable(getattr(of, name)):
                    return lambda: getattr(thing, name)
                method = getattr(thing, name)
                needed = [
                    parameter
                    for parameter in inspect.signature(method).parameters.values()
                    if parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD
                ]
                values = {parameter.name: GIVEN[parameter.name]() for parameter in needed}
                values.update(MORE.get(name, {}))
                places = [values.pop(p.name) for p in needed if p.kind is not p.KEYWORD_ONLY]
                return lambda: method(*places, **values)

            yield f"{of.__name__}.{name}", prepare
    yield "Model.new", lambda: lambda: Model(MOOD)
    for name in ("row_class", "to_json", "costs", "__arrow_c_stream__", "__getitem__"):

        def look(name: str = name) -> Callable[[], Any]:
            rows: Any = small().scores(MOOD, as_of=AS_OF)._rows
            looks: dict[str, Callable[[], Any]] = {
                "row_class": lambda: rows.row_class,
                "to_json": rows.to_json,
                "costs": lambda: rows.costs(0),
                "__arrow_c_stream__": rows.__arrow_c_stream__,
                "__getitem__": lambda: rows[0],
            }
            return looks[name]

        yield f"Rows.{name}", look


CALLS = list(calls())


@pytest.mark.parametrize("prepare", [call for _, call in CALLS], ids=[name for name, _ in CALLS])
def test_a_panic(prepare: Callable[[], Callable[[], Any]], request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.id
    steps = panics(name, prepare)
    assert steps > 0 or name in BARE, name
    # Another engine works as if nothing had been.
    assert small().clients() == ("acme",)


def test_nothing_that_is_exported_is_left_out() -> None:
    assert len(CALLS) > 60
    native = {name for name in dir(healthfold._healthfold) if not name.startswith("__")}
    assert native == {"Engine", "Model", "Watch", "_Rows", "_panic", "_panic_after", "event_schema", "model_schema"}


def test_an_engine_that_broke_in_a_change_says_so() -> None:
    engine = small()
    before = engine.snapshot()
    broke = False
    for step in range(1, 10):
        _panic_after(step)
        try:
            engine.apply(usage(step))
        except InternalError as error:
            broke = broke or "restore a snapshot" in str(error)
        _panic_after(0)
    assert broke
    with pytest.raises(InternalError, match="restore a snapshot"):
        engine.clients()
    assert Engine.restore(before).clients() == ("acme",)
