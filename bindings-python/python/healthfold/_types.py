"""What the arguments of the front door may be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from os import PathLike
from typing import Any, Literal, Protocol, TypeAlias, TypedDict
from zoneinfo import ZoneInfo

from ._healthfold import Model

__all__ = [
    "ArrowTable",
    "EventLike",
    "KindSettings",
    "LifetimeSettings",
    "LtvSettings",
    "ModelLike",
    "MoneySettings",
    "Only",
    "PeriodLike",
    "Progress",
    "RevenueSettings",
    "SpecLike",
    "TableKind",
    "TableSettings",
    "When",
]

When: TypeAlias = datetime | date | str
"""An aware datetime, RFC 3339 text with an offset, or a date: as an instant of a question its last microsecond."""

PeriodLike: TypeAlias = str | tuple[When, When]
"""Text such as "2026-03", "2026-Q1", "2026" or "2026-W07", or (start, end)."""

EventLike: TypeAlias = Mapping[str, Any] | str | bytes
"""An event as a dict or as JSON text."""

ModelLike: TypeAlias = Model | Mapping[str, Any] | str | bytes | PathLike[str]
"""A model, its document, the path of its file, or the name of one that comes with the library."""

SpecLike: TypeAlias = Mapping[str, Any] | str
"""A signal as a dict or as JSON text: {"kind": "active_users", "days": 7}."""

Only: TypeAlias = Literal["all", "paying"] | None
"""Whom a question about the book is about."""

Progress: TypeAlias = bool | Callable[[int, int | None], object] | None
"""True for a bar, or a callable that is called with (bytes read, bytes in all or None)."""


class ArrowStream(Protocol):
    """A table by the Arrow PyCapsule interface."""

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any: ...


class ArrowArray(Protocol):
    """A batch by the Arrow PyCapsule interface."""

    def __arrow_c_array__(self, requested_schema: Any = None) -> Any: ...


ArrowTable: TypeAlias = ArrowStream | ArrowArray
"""A frame of polars or pandas, a table or batch of pyarrow, a relation of duckdb, and whatever else speaks Arrow."""


class KindSettings(TypedDict, total=False):
    """How the rows of a table are read as events of a type."""

    columns: Mapping[str, str] | None
    """Which column fills which field; a column that is named like a field fills it anyway."""
    constants: Mapping[str, Any] | None
    """What every row has: the value of a field. None leaves a field out."""
    source: str | None
    """The source of rows that state none."""
    load: str | None
    """The name of this load: rows without an id are known by their content within it."""
    timezone: str | ZoneInfo | None
    """The zone of times that state none."""
    floats_as_money: bool
    """Read money from binary floats by their shortest decimal."""
    skip_without_time: bool
    """Skip and count rows without a time."""
    days: tuple[date | str, date | str] | None
    """Take only rows from one day to before another."""
    strict: bool
    """Apply all or nothing: the first bad row raises."""


class TableSettings(KindSettings, total=False):
    """How a table is read."""

    progress: Progress
    """True for a bar, or a callable that is called with (rows read, None)."""


class TableKind(KindSettings):
    """One of the types of event that the rows of a table tell of, and how it is read."""

    type: str
    """The type of event."""


class MoneySettings(TypedDict, total=False):
    """The settings of a question about money; every answer repeats those it used."""

    currency: str | None
    """The reporting currency; without it figures are per currency."""
    rates: Sequence[Mapping[str, Any]] | None
    """What other currencies are worth: {currency, from, rate}."""
    only_currency: str | None
    """Only what is paid in this currency."""
    only_clients: Iterable[str] | None
    """The book of the question is only these clients."""
    group_by: str | None
    """A row for each owner, segment, plan, product, currency, tag, parent, band, cohort, or attribute:KEY, too."""
    model: ModelLike | None
    """With ``group_by="band"``: the health model whose bands they are."""
    paused: Literal["own", "churn", "keep"] | None
    """What a pause is."""
    base: Literal["opening", "opening_plus_new"] | None
    """The base of logo churn."""
    attribution: Literal["opening", "interval"] | None
    """Whose a movement is when a client goes from one group to another."""
    grain: Literal["net", "change"] | None
    """Whether every change is counted, too."""
    interval: Literal["linearised", "bootstrap"] | None
    """How intervals of money rates are made."""
    seed: int | None
    """With bootstrap: what the draws begin from."""
    resamples: int | None
    """With bootstrap: how many draws."""
    rounded: bool | None
    """Print all money in minor units, with a line ``rounding`` that makes the column foot."""
    trailing: Sequence[int] | None
    """Also the rates of the last so many months up to the period's end."""
    reactivation_within_days: int | None
    """A client that comes back after a longer gap is new."""
    renewal_grace_days: int | None
    """A gap in paying no longer than this is no gap, once the renewal is known."""
    past_due_limit_days: int | None
    """How many days after its first day a past_due subscription still counts."""
    week_factor: Decimal | int | str | None
    """Weeks in a year; 52."""
    day_factor: Decimal | int | str | None
    """Days in a year; 365."""


class LifetimeSettings(MoneySettings, total=False):
    """The settings of a question about lifetimes; of those about money these say what paying is."""

    data_start: When | None
    """From when on the log is complete; unless said from its first event on."""
    calibration_end: When | None
    """Of purchases: what comes after is held out."""
    horizon_days: int | None
    """The horizon of restricted means."""
    spells: Literal["every", "first"] | None
    """Which paying times of a client count."""
    bounds: Literal["log_log", "log", "plain"] | None
    """How the intervals of curves are made."""
    weights: Literal["log_rank", "wilcoxon", "tarone_ware", "peto", "fleming_harrington"] | None
    """What counts more in the test between groups."""


class LtvSettings(LifetimeSettings, total=False):
    """The settings of a question about lifetime value."""

    margin: Decimal | int | str | None
    """The share of revenue that is left after the cost of serving; 1."""
    annual_discount: float | None
    """By how much money is worth less a year ahead: 0.1 for 10 %."""
    annual_growth: float | None
    """With simple: by how much a client's payments grow a year."""
    horizon_months: int | Literal["unbounded"] | None
    """How far it looks ahead; the models 36 months unless said."""
    payments: Literal["due", "arrears"] | None
    """With simple: when in a month a payment comes."""
    with_payments: bool | None
    """With observed: each payment, too, with the events behind it."""
    renewal: Literal["week", "month", "quarter", "year"] | None
    """With sbg and bdw: how often contracts are renewed."""


class RevenueSettings(MoneySettings, total=False):
    """The settings of a question about a period."""

    as_of: When | None
    """The instant of the question; without it the end of the period."""
