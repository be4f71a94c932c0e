"""Tables in and out: the same rows by every library, in every form a column may have."""

from __future__ import annotations

import datetime as dt
import io
import pickle
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd  # type: ignore[import-untyped, unused-ignore]
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped, unused-ignore]
import pyarrow.parquet as pq  # type: ignore[import-untyped, unused-ignore]
import pytest

import healthfold
from healthfold import Engine, TableError

AS_OF = "2026-03-31"
UTC = dt.timezone.utc
TIMES = [dt.datetime(2026, 1, 5, 10, tzinfo=UTC), dt.datetime(2026, 1, 6, 11, tzinfo=UTC), dt.datetime(2026, 1, 6, 11, tzinfo=UTC)]
CLIENTS = ["acme", "birch", "acme"]
COUNTS = [3, None, 5]
SPEC = {"kind": "usage_sum", "metric": "logins", "days": 7}
HOW: dict[str, Any] = {"columns": {"subject": "account"}, "constants": {"metric": "logins"}, "source": "warehouse"}


def arrow() -> pa.Table:
    return pa.table(
        {
            "account": pa.array(CLIENTS),
            "time": pa.array(TIMES, pa.timestamp("us", tz="UTC")),
            "count": pa.array(COUNTS, pa.int64()),
        }
    )


def taken(table: Any, **how: Any) -> Engine:
    engine = Engine()
    applied = engine.apply_table("usage.counted", table, **{**HOW, **how})
    assert (applied.applied, applied.rejected) == (3, ()), applied
    # Again, and nothing changes.
    assert engine.apply_table("usage.counted", table, **{**HOW, **how}).duplicates == 3
    return engine


def logins(engine: Engine) -> dict[str, float | None]:
    return {client: engine.signal(client, SPEC, as_of="2026-01-07").reading for client in engine.clients()}


PRINT = taken(arrow()).fingerprint()


def forms() -> dict[str, Any]:
    plain = arrow()

    def column(name: str, of: pa.DataType) -> pa.Table:
        return plain.set_column(plain.schema.get_field_index(name), name, plain[name].cast(of))

    sliced = pa.concat_tables([plain, plain.slice(0, 1), plain]).slice(4, 3).combine_chunks()
    return {
        "pyarrow": plain,
        "a batch": plain.to_batches()[0],
        "a reader": None,
        "chunks": pa.concat_tables([plain.slice(0, 1), plain.slice(1, 0), plain.slice(1)]),
        "a slice": sliced,
        "large text": column("account", pa.large_string()),
        "views of text": column("account", pa.string_view()),
        "dictionary": plain.set_column(0, "account", plain["account"].dictionary_encode()),
        "milliseconds": column("time", pa.timestamp("ms", tz="UTC")),
        "seconds": column("time", pa.timestamp("s", tz="Etc/UTC")),
        "nanoseconds": column("time", pa.timestamp("ns", tz="+00:00")),
        "another zone": column("time", pa.timestamp("us", tz="Europe/Berlin")),
        "decimals": column("count", pa.decimal128(30, 3)),
        "small numbers": column("count", pa.int8()),
        "floats": column("count", pa.float64()),
        "polars": pl.DataFrame(plain),
        "polars categorical": pl.DataFrame(plain).with_columns(pl.col("account").cast(pl.Categorical)),
        "pandas": plain.to_pandas(),
        "pandas of arrow": plain.to_pandas(types_mapper=pd.ArrowDtype),
        "duckdb": None,
    }


@pytest.mark.parametrize("form", forms())
def test_every_form_of_a_table_is_the_same_events(form: str) -> None:
    plain = arrow()
    if form == "a reader":
        engine = Engine()
        assert engine.apply_table("usage.counted", pa.RecordBatchReader.from_batches(plain.schema, plain.to_batches()), **HOW).applied == 3
    elif form == "duckdb":
        connection = duckdb.connect()
        connection.register("events", plain)
        engine = Engine()
        for expected in [(3, 0), (0, 3)]:
            applied = engine.apply_table("usage.counted", connection.sql("select * from events"), **HOW)
            assert (applied.applied, applied.duplicates) == expected
    else:
        engine = taken(forms()[form])
    assert engine.fingerprint() == PRINT
    # 3 + 5, and one without a count.
    assert logins(engine) == {"acme": 8.0, "birch": 1.0}


def test_empty_tables() -> None:
    for table in [arrow().slice(0, 0), pl.DataFrame(arrow()).clear(), pa.table({}).slice(0, 0)]:
        engine = Engine()
        how = {**HOW, "columns": {}} if not table.shape[1] else HOW
        try:
            assert engine.apply_table("usage.counted", table, **how).applied == 0
        except TableError as error:
            assert {issue.code for issue in error.issues} == {"missing_column"}


def test_times_without_a_zone_need_one() -> None:
    naive = pl.DataFrame(arrow()).with_columns(pl.col("time").dt.replace_time_zone(None))
    with pytest.raises(TableError) as caught:
        taken(naive)
    assert caught.value.code == "invalid_table"
    assert [(issue.code, issue.field) for issue in caught.value.issues] == [("naive_time", "time")]
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.issues == caught.value.issues
    assert taken(naive, timezone="UTC").fingerprint() == PRINT
    berlin = taken(naive, timezone=__import__("zoneinfo").ZoneInfo("Europe/Berlin"))
    assert berlin.span() == (TIMES[0] - dt.timedelta(hours=1), TIMES[1] - dt.timedelta(hours=1))


def test_all_faults_of_a_mapping_come_at_once() -> None:
    with pytest.raises(TableError) as caught:
        Engine().apply_table("usage.counted", arrow(), columns={"who": "account", "metric": "nowhere"})
    codes = {issue.code for issue in caught.value.issues}
    assert {"unknown_field", "unknown_column", "missing_column"} <= codes


def test_money_of_floats_is_refused_unless_asked() -> None:
    table = pl.DataFrame({"subject": ["acme"], "time": [TIMES[0]], "subscription": ["s"], "amount": [19.99]})
    how: dict[str, Any] = {
        "constants": {"status": "active", "currency": "EUR", "interval.unit": "month"},
        "source": "billing",
    }
    with pytest.raises(TableError) as caught:
        Engine().apply_table("billing.subscription_set", table, **how)
    assert [issue.code for issue in caught.value.issues] == ["float_money"]
    rights: list[tuple[pl.DataFrame, dict[str, Any]]] = [
        (table, {"floats_as_money": True}),
        (table.with_columns(pl.col("amount").cast(pl.Decimal(20, 2))), {}),
        (table.with_columns(pl.lit("19.99").alias("amount")), {}),
    ]
    for right, more in rights:
        engine = Engine()
        assert engine.apply_table("billing.subscription_set", right, **how, **more).applied == 1
        total = engine.revenue("2026-02").total
        assert total is not None and total.opening.mrr == Decimal("19.99")


def test_bad_rows_are_named_and_strict_stops() -> None:
    table = arrow().append_column("user", pa.array(["u1", "u" * 5000, "u3"]))
    engine = Engine()
    applied = engine.apply_table("usage.counted", table, **HOW)
    assert applied.applied == 2
    assert [(row.index, row.code, row.field) for row in applied.rejected] == [(1, "too_long", "data.user")]
    assert pl.DataFrame(applied).select("index", "code", "field").rows() == [(1, "too_long", "data.user")]
    with pytest.raises(healthfold.EventError) as caught:
        Engine().apply_table("usage.counted", table, strict=True, **HOW)
    assert (caught.value.index, caught.value.code) == (1, "too_long")


def test_what_is_no_table_is_refused() -> None:
    odd: list[Any] = [{"a": [1]}, [1], "text", np.array([1]), None]
    for table in odd:
        with pytest.raises(healthfold.QueryError) as caught:
            Engine().apply_table("usage.counted", table)
        assert caught.value.code == "bad_value"
    with pytest.raises(healthfold.QueryError, match="one of usage.counted"):
        Engine().apply_table("usage.dreamt", arrow())
    with pytest.raises(healthfold.QueryError, match="colums"):
        Engine().apply_table("usage.counted", arrow(), colums={})  # type: ignore[call-arg]


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "events.parquet"
    pq.write_table(arrow(), path)
    files: list[Any] = [path, str(path), path.read_bytes()]
    for file in files:
        engine = Engine()
        assert engine.apply_parquet("usage.counted", file, **HOW).applied == 3
        assert engine.fingerprint() == PRINT
    engine = Engine()
    assert engine.apply_parquet("usage.counted", path, days=("2026-01-06", dt.date(2026, 1, 7)), **HOW).applied == 2
    with pytest.raises(TableError) as caught:
        Engine().apply_parquet("usage.counted", b"no parquet", **HOW)
    assert caught.value.code == "unreadable_table"


def invoices() -> bytes:
    """Of four invoices three were issued and three paid, one of them by nobody."""

    def days(*days: int | None) -> pa.Array:
        first = dt.datetime(2026, 1, 1, tzinfo=UTC)
        times = [None if day is None else first + dt.timedelta(days=day) for day in days]
        return pa.array(times, pa.timestamp("ms", tz="UTC"))

    table = pa.table(
        {
            "invoice": ["i-1", "i-2", "i-3", "i-4"],
            "client": ["acme", "birch", "acme", ""],
            "issued_at": days(0, 1, 40, None),
            "paid_at": days(9, None, 45, 50),
            "amount": pa.array([100, 50, 70, 10], pa.int32()),
        }
    )
    file = io.BytesIO()
    pq.write_table(table, file)
    return file.getvalue()


ISSUED: dict[str, Any] = {
    "columns": {"subject": "client", "time": "issued_at"},
    "constants": {"due": "2026-06-01", "currency": "USD"},
    "source": "issued",
    "skip_without_time": True,
}
PAID: dict[str, Any] = {"columns": {"subject": "client", "time": "paid_at"}, "source": "paid", "skip_without_time": True}


def kinds(**paid: Any) -> list[Any]:
    return [{"type": "billing.invoice_issued", **ISSUED}, {"type": "billing.invoice_paid", **PAID, **paid}]


def test_a_file_of_several_types_of_event_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "invoices.parquet"
    path.write_bytes(invoices())
    one_by_one = Engine()
    each = (
        one_by_one.apply_parquet("billing.invoice_issued", path, **ISSUED),
        one_by_one.apply_parquet("billing.invoice_paid", path, **PAID),
    )
    assert [(applied.applied, applied.skipped) for applied in each] == [(3, 1), (2, 1)]
    assert [(row.index, row.code) for row in each[1].rejected] == [(3, "empty_id")]
    files: list[Any] = [path, str(path), path.read_bytes(), bytearray(path.read_bytes())]
    for file in files:
        engine = Engine()
        told: list[tuple[int, int | None]] = []
        assert engine.apply_parquet_each(file, kinds(), progress=lambda done, total: told.append((done, total))) == each
        assert engine.fingerprint() == one_by_one.fingerprint()
        assert told[0] == (0, 4) and told[-1] == (4, 4)
        assert [applied.duplicates for applied in engine.apply_parquet_each(file, kinds())] == [3, 2]
    assert pl.DataFrame(each[1])["code"].to_list() == ["empty_id"]
    assert Engine().apply_parquet_each(path, []) == ()


def test_where_one_type_is_strict_all_are() -> None:
    engine = Engine()
    before = engine.fingerprint()
    with pytest.raises(healthfold.EventError) as caught:
        engine.apply_parquet_each(invoices(), kinds(strict=True))
    assert (caught.value.index, caught.value.code) == (3, "empty_id")
    assert engine.fingerprint() == before
    # Whoever takes only days without a bad row has them all.
    applied = engine.apply_parquet_each(invoices(), kinds(strict=True, days=("2026-01-01", "2026-02-01")))
    assert [(one.applied, one.skipped) for one in applied] == [(3, 1), (1, 3)]


def test_faults_of_a_type_are_those_of_one_alone(tmp_path: Path) -> None:
    faults: list[tuple[dict[str, Any], str, str]] = [
        ({"type": "billing.invoice_dreamt"}, "type", "one of usage.counted"),
        ({"type": None}, "type", "must have a `type`"),
        ({"colums": {}}, "colums", "those are columns, "),
        # It is that of the file, not of one type.
        ({"progress": True}, "progress", "those are columns, "),
        ({"constants": {"time": "2026-01-01"}}, "time", "by a column and by a constant"),
        ({"constants": {"invoice": object()}}, "invoice", "invoice"),
    ]
    for changes, field, says in faults:
        with pytest.raises(healthfold.QueryError, match=says) as caught:
            Engine().apply_parquet_each(invoices(), kinds(**changes))
        assert (caught.value.code, caught.value.field) == ("bad_value", field)
    with pytest.raises(healthfold.QueryError, match="`soon` is not a date") as caught:
        Engine().apply_parquet_each(invoices(), kinds(days=("soon", "later")))
    assert (caught.value.code, caught.value.field) == ("bad_time", "days")
    odd: list[Any] = ["billing.invoice_paid", ("billing.invoice_paid", {})]
    for one in odd:
        with pytest.raises(healthfold.QueryError, match="list of dicts") as caught:
            Engine().apply_parquet_each(invoices(), [one])
        assert (caught.value.code, caught.value.field) == ("bad_value", "kinds")
    with pytest.raises(TableError) as invalid:
        Engine().apply_parquet_each(invoices(), kinds(columns={"subject": "nowhere"}))
    assert {issue.code for issue in invalid.value.issues} == {"unknown_column", "missing_column"}
    with pytest.raises(TableError) as unreadable:
        Engine().apply_parquet_each(b"no parquet", kinds())
    assert unreadable.value.code == "unreadable_table"
    with pytest.raises(FileNotFoundError, match="nowhere.parquet"):
        Engine().apply_parquet_each(tmp_path / "nowhere.parquet", kinds())


def test_a_table_that_fails_on_its_way() -> None:
    def batches() -> Any:
        yield arrow().to_batches()[0]
        raise RuntimeError("the warehouse is gone")

    reader = pa.RecordBatchReader.from_batches(arrow().schema, batches())
    engine = Engine()
    with pytest.raises(TableError, match="the warehouse is gone") as caught:
        engine.apply_table("usage.counted", reader, **HOW)
    assert caught.value.code == "unreadable_table" and len(engine.clients()) == 2


def test_progress_of_a_table() -> None:
    told: list[int] = []
    n = 200_000
    table = pl.DataFrame({"subject": ["a"] * n, "time": [TIMES[0]] * n, "metric": ["m"] * n, "id": [str(k) for k in range(n)]})
    Engine().apply_table("usage.counted", table, source="s", progress=lambda done, total: told.append(done))
    assert len(told) >= 4 and told == sorted(told)

    def stop(done: int, total: int | None) -> None:
        if done:
            raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        Engine().apply_table("usage.counted", table, source="s", progress=stop)

    file = io.BytesIO()
    table.write_parquet(file)
    pairs: list[tuple[int, int | None]] = []
    Engine().apply_parquet("usage.counted", file.getvalue(), source="s", progress=lambda done, total: pairs.append((done, total)))
    assert pairs[0] == (0, n) and pairs[-1] == (n, n) and pairs == sorted(pairs)
    with pytest.raises(KeyError, match="enough"):
        Engine().apply_parquet("usage.counted", file.getvalue(), source="s", progress=stop)
    with pytest.raises(KeyError, match="enough"):
        Engine().apply_parquet_each(file.getvalue(), [{"type": "usage.counted", "source": "s"}], progress=stop)


def frames(table: Any) -> tuple[pl.DataFrame, pd.DataFrame, pa.Table]:
    return pl.DataFrame(table), table.to_pandas(), pa.table(table)


def test_scores_come_out(book: Engine) -> None:
    from conftest import MOOD

    scores = book.scores(MOOD, as_of="2026-03-26")
    polars, pandas, arrow = frames(scores)
    assert polars["client"].to_list() == list(pandas["client"]) == arrow["client"].to_pylist() == ["acme", "birch", "cedar"]
    assert polars["score"].to_list() == [row.score for row in scores]
    assert polars.schema["as_of"] == pl.Datetime("us", "UTC") and polars["as_of"][0] == scores[0].as_of
    assert polars["reading.mood"].to_list() == [80.0, None, None]
    assert duckdb.connect().execute("select count(*) from arrow").fetchall() == [(3,)]
    again = pickle.loads(pickle.dumps(scores))
    assert again == scores and len(again.to_polars()) == len(again.to_pandas()) == 3
    with pytest.raises(TypeError, match="ask again"):
        pl.DataFrame(again)
    assert scores.to_polars().equals(polars)
    history = book.score_history("acme", MOOD, start="2026-03-01", end="2026-03-31")
    assert history.to_polars().height == 31


def test_movements_come_out(book: Engine) -> None:
    movements = book.movements("2026-03")
    polars, pandas, arrow = frames(movements)
    assert polars.select("client", "kind").rows() == [("acme", "expansion"), ("birch", "churn"), ("cedar", "new")]
    assert polars["amount_mrr"].to_list() == [Decimal(30), Decimal(80), Decimal(50)]
    assert polars["amount_mrr"].sum() == Decimal(160)
    assert list(pandas["closing_arr"]) == [Decimal(1560), Decimal(0), Decimal(600)]
    assert arrow["events"][0].as_py()[0]["source"] == "billing"
    assert [row.client for row in movements.rows] == ["acme", "birch", "cedar"]
    assert pickle.loads(pickle.dumps(movements)) == movements


def test_lifetimes_come_out(book: Engine) -> None:
    spells = book.spells(as_of="2026-03-31")
    polars, pandas, arrow = frames(spells)
    assert polars["client"].to_list() == list(pandas["client"]) == [row.client for row in spells.spells]
    assert polars["days"].to_list() == [row.days for row in spells.spells]
    assert polars["until"].to_list() == [row.until for row in spells.spells]
    assert isinstance(spells.spells[0], healthfold.ClientSpell)
    assert pickle.loads(pickle.dumps(spells)) == spells
    life = book.lifetime(as_of="2026-03-31", group_by="owner")
    steps = pl.DataFrame(life)
    assert steps.filter(~pl.col("is_group"))["survival"].to_list() == [point.survival for point in life.total.points]
    assert steps.filter(pl.col("is_group")).height == sum(len(group.points) for group in life.groups or ())
    ltv = book.ltv(method="simple", period="2026-03", margin="0.5")
    assert isinstance(ltv, healthfold.SimpleLtv)
    polars, pandas, arrow = frames(ltv)
    assert polars["value"].to_list() == [row.value for row in ltv.clients] and len(pandas) == len(ltv.clients)
    assert polars["client"].to_list() == [row["client"] for row in ltv.to_dict()["clients"]]
    paid = book.ltv(method="observed", as_of="2026-03-31")
    assert isinstance(paid, healthfold.ObservedLtv)
    assert paid.to_polars()["received"].to_list() == [row.received for row in paid.clients]
    assert book.rfm(as_of="2026-03-31").to_polars().height == len(book.rfm(as_of="2026-03-31").clients)


def test_rows_without_columns_come_out_as_dicts(book: Engine) -> None:
    rows = book.timeline("acme", start="2026-01-01", end=AS_OF)
    assert rows.to_polars()["kind"].to_list() == list(rows.to_pandas()["kind"]) == [row.kind for row in rows]


def test_series_and_cohorts_come_out(book: Engine) -> None:
    series = book.revenue_series(start="2026-01-01", end="2026-04-01")
    polars = pl.DataFrame(series)
    assert polars["start"].dt.month().to_list() == [1, 2, 3]
    assert polars["closing_mrr"].to_list() == [Decimal(180)] * 3
    assert polars["nrr"].to_list() == [None, 1.0, 130 / 180]
    assert polars["clients_new"].to_list() == [2, 0, 1]
    # The cell of March is there when March is over.
    cohorts = book.cohorts(as_of="2026-04-01")
    cells = pl.DataFrame(cohorts)
    january, march = dt.date(2026, 1, 1), dt.date(2026, 3, 1)
    assert cells.select("cohort", "months", "clients").rows() == [
        (january, 0, 2),
        (january, 1, 2),
        (january, 2, 1),
        (march, 0, 1),
    ]
    grouped = pl.DataFrame(book.cohorts(as_of="2026-04-01", group_by="currency"))
    assert set(grouped["key"]) == {"USD"}


def test_columns_of_a_score_table(book: Engine) -> None:
    from conftest import MOOD

    table = book.score_table(MOOD, as_of="2026-03-26")
    scores = book.scores(MOOD, as_of="2026-03-26")
    assert table.client == tuple(row.client for row in scores)
    assert table.score == tuple(row.score for row in scores)
    assert [table.bands[place] for place in table.band] == [row.band for row in scores]
    polars = pl.DataFrame(table)
    assert polars["score"].to_list() == list(table.score)
    assert polars["reading.mood"].to_list() == [part for part in table.parts[0].readings]


def test_keys_of_any_kind_come_out(book: Engine) -> None:
    book.apply(
        [
            {"id": f"a{n}", "source": "crm", "type": "client.set", "subject": client, "time": "2026-01-01T00:00:00Z", "data": {"attributes": {"size": size}}}
            for n, (client, size) in enumerate([("acme", 7), ("birch", True), ("cedar", "big")])
        ]
    )
    movements = book.movements("2026-03", group_by="attribute:size")
    assert [row.key for row in movements.rows] == [7, True, "big"]
    assert pl.DataFrame(movements)["key"].to_list() == ["7", "true", "big"]
