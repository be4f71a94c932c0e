"""How results look in a notebook: readable in light and dark, without a script, a font or a picture from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._healthfold import Model
    from ._results import (
        Applied,
        Cohorts,
        HealthScore,
        Movements,
        RevenueReport,
        RevenueSeries,
        Row,
        ScoreChange,
    )
    from ._table import Table

# Colours of the page shine through: text is that of the notebook, lines and grounds are half transparent.
STYLE = """<style>
.hf{font:13px/1.45 system-ui,-apple-system,"Segoe UI",sans-serif;max-width:980px;margin:4px 0;color:inherit}
.hf h4{font-size:15px;font-weight:600;margin:0 0 2px}
.hf .sub{opacity:.72;margin:0 0 8px}
.hf table{border-collapse:collapse;margin:6px 0;font-variant-numeric:tabular-nums;background:transparent;color:inherit}
.hf th,.hf td{padding:3px 12px 3px 0;text-align:left;border-bottom:1px solid rgba(128,128,128,.25);background:transparent;
color:inherit;vertical-align:middle;white-space:nowrap}
.hf th{font-weight:600;opacity:.72;font-size:12px}
.hf td.n,.hf th.n{text-align:right}
.hf td.w{white-space:normal;min-width:18em;max-width:40em}
.hf tr.sum td{border-bottom:0;border-top:2px solid rgba(128,128,128,.6);font-weight:600}
.hf .bar{display:inline-block;width:140px;height:10px;border-radius:2px;background:rgba(128,128,128,.2);vertical-align:middle}
.hf .bar i{display:block;height:10px;border-radius:2px;background:#2f7fc1}
.hf .bar i.down{background:#d1603d}
.hf .band{display:inline-block;padding:0 8px;border-radius:9px;border:1px solid currentColor;font-size:12px;font-weight:600}
.hf .dot{display:inline-block;width:9px;height:9px;border-radius:50%;margin-right:6px;border:1px solid rgba(128,128,128,.8)}
.hf .gone{opacity:.6;font-style:italic}
</style>"""

LISTED = 12
"""So many rows of a long list are shown."""


def of(result: Any) -> str | None:
    """The looks of a result; None where its text says it all."""
    view = VIEWS.get(type(result).__name__)
    return None if view is None else page(view(result))


def page(inside: str) -> str:
    return f'{STYLE}<div class="hf">{inside}</div>'


# -- words and figures --


def number(value: Any, digits: int = 1) -> str:
    """A figure as people read it: 1,234.5, with a real minus."""
    if value is None:
        return "–"
    if isinstance(value, int):
        text = f"{value:,}"
    elif isinstance(value, Decimal):
        # Money to two digits on the screen; the value itself keeps them all.
        text = f"{value:,.2f}".removesuffix(".00")
    else:
        text = f"{value:,.{digits}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"-0", "-0.00"} else text.replace("-", "−")


def signed(value: Any) -> str:
    text = number(value)
    return text if value is None or value <= 0 else f"+{text}"


def percent(value: float | None) -> str:
    return "–" if value is None else f"{number(value * 100)} %"


def when(value: datetime | date) -> str:
    """An instant as its day, where it is the last or the first microsecond of one."""
    if isinstance(value, datetime):
        clock = value.strftime("%H:%M:%S.%f")
        if clock in {"23:59:59.999999", "00:00:00.000000"}:
            return f"{value:%d %b %Y}".lstrip("0")
        return f"{value:%d %b %Y, %H:%M} UTC".lstrip("0")
    return f"{value:%d %b %Y}".lstrip("0")


def word(name: str) -> str:
    return escape(name.replace("_", " "))


def bar(share: float | None, falls: bool = False) -> str:
    width = 0.0 if share is None else max(0.0, min(1.0, share)) * 100
    kind = ' class="down"' if falls else ""
    return f'<span class="bar"><i{kind} style="width:{width:.1f}%"></i></span>'


COLOURS = {"red": "#c93a3a", "yellow": "#d9a514", "amber": "#d9a514", "green": "#3f9a4b", "unknown": "transparent"}


def band(name: str) -> str:
    """A band by its name; the colour only where the name is one."""
    colour = COLOURS.get(name.lower(), "rgba(128,128,128,.45)")
    return f'<span class="dot" style="background:{colour}"></span>{word(name)}'


def grid(head: Sequence[str], rows: Iterable[Sequence[str]], figures: Iterable[int] = (), wide: int | None = None) -> str:
    """A table; the columns of these numbers stand right."""
    right = set(figures)

    def cell(kind: str, place: int, text: str) -> str:
        name = "n" if place in right else ("w" if place == wide else "")
        return f'<{kind} class="{name}">{text}</{kind}>' if name else f"<{kind}>{text}</{kind}>"

    top = "".join(cell("th", place, text) for place, text in enumerate(head))
    body = "".join(
        f"<tr>{''.join(cell('td', place, text) for place, text in enumerate(row))}</tr>" for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def more(shown: int, of_all: int, what: str = "rows") -> str:
    return f'<p class="sub">{shown} of {number(of_all)} {what}</p>' if of_all > shown else ""


# -- health --


def score(health: HealthScore) -> str:
    about = [f"as of {when(health.as_of)}", f"model {escape(health.model or '–')} v{health.version}"]
    about.append(f"saw {percent(health.coverage)} of the model")
    if health.low is not None and health.high is not None and health.high - health.low > 1e-9:
        about.append(f"between {number(health.low)} and {number(health.high)} were the rest known")
    head = number(health.score) if health.score is not None else "no score"
    title = f"<h4>{escape(health.client)}: {head} &nbsp; {band(health.band)}</h4>"
    rows = []
    for part in health.parts:
        name = " › ".join(word(group) for group in (*part.group, part.signal))
        if part.reading is None:
            why = word(str(part.missing)) if part.missing else "missing"
            rows.append((name, f'<span class="gone">{why}</span>', "", "–", "–", "–"))
            continue
        points = 0.0 if part.points is None else part.points / 100
        rows.append(
            (
                name,
                number(part.reading, 2),
                bar(points),
                number(part.points),
                percent(part.weight),
                number(part.contribution),
            )
        )
    table = grid(("part", "reading", "points of 100", "", "weight", "adds"), rows, (1, 3, 4, 5))
    steps = [(word(step.name), number(step.reading, 2), signed(step.effect)) for step in
             (*health.adjustments, *health.limits) if step.effect]  # fmt: skip
    if health.override is not None:
        stated = health.override
        reason = escape(stated.reason or "")
        steps.append((f"override by {escape(stated.by or 'somebody')}: {reason}", number(stated.value), signed(stated.effect)))
    if health.clamp:
        steps.append(("kept within 0 to 100", "", signed(health.clamp)))
    after = grid(("then", "reading", "adds"), steps, (1, 2)) if steps else ""
    return f'{title}<p class="sub">{" · ".join(about)}</p>{table}{after}'


def scores(rows: Table[HealthScore]) -> str:
    shown = rows[:LISTED]
    lines = []
    for place, row in enumerate(shown):
        lines.append(
            (
                escape(row.client),
                number(row.score),
                bar(None if row.score is None else row.score / 100),
                band(row.band),
                percent(row.coverage),
                ", ".join(word(name) for name in rows._costs(place)[:2]),
            )
        )
    table = grid(("client", "score", "of 100", "band", "seen", "costs most"), lines, (1, 4), wide=5)
    asked = {row.as_of for row in shown}
    sub = f'<p class="sub">as of {when(next(iter(asked)))}</p>' if len(asked) == 1 else ""
    return f"<h4>Health scores</h4>{sub}{table}{more(len(shown), len(rows), 'scores')}"


def change(told: ScoreChange) -> str:
    rows = [(word(str(part.cause)), word(part.name or ""), signed(part.points)) for part in told.parts if part.points]
    head = f"{number(told.from_)} → {number(told.to)} ({signed(told.delta)})"
    return f"<h4>Change of the score: {head}</h4>{grid(('cause', 'name', 'points'), rows, (2,))}"


def model(made: Model) -> str:
    """The parts of a model and their weights."""
    document = made.to_dict()
    bands = " &nbsp; ".join(f"{band(one.name)} from {number(one.from_)}" for one in made.bands)
    lines: list[tuple[str, ...]] = []

    def walk(group: dict[str, Any], path: tuple[str, ...]) -> None:
        for one in group.get("parts", []):
            kind = document.get("signals", {}).get(one["signal"], {}).get("kind", "")
            name = " › ".join(word(step) for step in (*path, one["signal"]))
            lines.append((name, word(str(kind)), number(one.get("weight", 1))))
        for inner in group.get("groups", []):
            inside = (*path, str(inner.get("name", "")))
            lines.append((" › ".join(word(step) for step in inside), "group", number(inner.get("weight", 1))))
            walk(inner, inside)

    walk(document, ())
    table = grid(("part", "signal", "weight in its group"), lines, (2,)) if lines else ""
    if "models" in document:
        table = f'<p class="sub">a set of {len(document["models"])} models; the first that fits a client is used</p>'
    limits = [word(str(one.get("name", ""))) for one in (*document.get("adjustments", []), *document.get("limits", []))]
    after = f'<p class="sub">then: {", ".join(limits)}</p>' if limits else ""
    return page(f'<h4>Model {escape(made.name)} v{made.version}</h4><p class="sub">{bands}</p>{table}{after}')


# -- money --

LINES = (
    ("opening", "", "opening"),
    ("new", "+", "new"),
    ("reactivation", "+", "reactivated"),
    ("resumed", "+", "resumed"),
    ("expansion", "+", None),
    ("contraction", "−", None),
    ("paused", "−", "paused"),
    ("churn", "−", "churned"),
    ("fx", "+", None),
    ("closing", "", "closing"),
)


def waterfall(row: Row, currency: str | None) -> str:
    top = max(float(row.opening.mrr), float(row.closing.mrr), 1e-9)
    lines = []
    for name, sign, heads in LINES:
        amount = getattr(row, name).mrr
        if name == "fx" and not amount:
            continue
        shown = number(amount) if not sign or not amount else (f"{sign}{number(amount)}" if amount > 0 else number(amount))
        count = "" if heads is None else number(getattr(row.clients, heads))
        lines.append((word(name), shown, count, bar(float(abs(amount)) / top, sign == "−" or amount < 0)))
    table = grid(("", f"MRR, {escape(currency or 'no currency')}", "clients", ""), lines, (1, 2))
    rates = []
    for name, label in [("nrr", "NRR"), ("grr", "GRR"), ("logo_churn", "logo churn"), ("net_revenue_churn", "net revenue churn")]:
        rate = getattr(row, name)
        span = "" if rate.low is None else f"{percent(rate.low)} to {percent(rate.high)}"
        rates.append((label, percent(rate.value), span, f"{number(rate.part)} of {number(rate.whole)}"))
    return table + grid(("rate", "value", "95 % interval", "base"), rates, (1,))


def revenue(report: RevenueReport) -> str:
    until = " (not over)" if report.period.partial else ""
    title = f"<h4>Revenue from {when(report.period.start)} to before {when(report.period.end)}{until}</h4>"
    rows: list[tuple[str | None, Row]] = []
    if report.total is not None:
        rows.append((report.currency, report.total))
    rows += list((report.by_currency or {}).items())
    body = "".join(waterfall(row, currency) for currency, row in rows)
    if report.groups:
        lines = [
            (
                escape(str(group.key)) if group.key is not None else '<span class="gone">none</span>',
                escape(group.currency),
                number(group.opening.mrr),
                number(group.closing.mrr),
                percent(group.nrr.value),
                percent(group.grr.value),
            )
            for group in report.groups[:LISTED]
        ]
        head = (word(str(report.settings.group_by)), "currency", "opening MRR", "closing MRR", "NRR", "GRR")
        body += grid(head, lines, (2, 3, 4, 5)) + more(len(lines), len(report.groups), "groups")
    return title + body


def series(told: RevenueSeries) -> str:
    lines = []
    for report in told.rows[:36]:
        rows = [(report.currency, report.total)] if report.total else list((report.by_currency or {}).items())
        lines += [
            (
                when(report.period.start),
                escape(currency or "–"),
                number(row.opening.mrr),
                signed(row.closing.mrr - row.opening.mrr),
                number(row.closing.mrr),
                percent(row.nrr.value),
                percent(row.grr.value),
                percent(row.logo_churn.value),
            )
            for currency, row in rows
        ]
    head = ("from", "currency", "opening MRR", "change", "closing MRR", "NRR", "GRR", "logo churn")
    return f"<h4>Revenue by period</h4>{grid(head, lines, range(2, 8))}"


def movements(told: Movements) -> str:
    rows = told.rows[:LISTED]
    lines = [
        (
            escape(row.client),
            word(str(row.kind)),
            number(row.opening.mrr),
            number(row.closing.mrr),
            number(row.amount.mrr),
            escape(row.currency),
            ", ".join(word(str(tag)) for tag in row.tags),
            escape(row.reason or ""),
        )
        for row in rows
    ]
    title = f"<h4>Movements from {when(told.period.start)} to before {when(told.period.end)}</h4>"
    head = ("client", "movement", "opening MRR", "closing MRR", "amount", "", "tags", "reason")
    return title + grid(head, lines, (2, 3, 4), wide=7) + more(len(lines), len(told.rows), "movements")


def cohorts(told: Cohorts) -> str:
    months = max((len(row.cells) for row in told.cohorts), default=0)
    lines = []
    for row in told.cohorts[:36]:
        cells = []
        for cell in row.cells[:24]:
            share = cell.clients_share
            shade = 0.0 if share is None else share * 0.55
            cells.append(f'<span style="background:rgba(47,127,193,{shade:.2f});padding:2px 6px">{percent(share)}</span>')
        lines.append((escape(row.cohort), number(row.clients), *cells, *[""] * (min(months, 24) - len(cells))))
    head = ("began", "clients", *(str(month) for month in range(min(months, 24))))
    sub = '<p class="sub">share of clients that pay, by months after their first</p>'
    return f"<h4>Cohorts</h4>{sub}{grid(head, lines, range(1, len(head)))}"


def applied(told: Applied) -> str:
    count = sum(told.rejected_by_code.values())
    said = [f"{number(told.applied)} applied", f"{number(told.duplicates)} known already"]
    said += [f"{number(told.skipped)} skipped"] if told.skipped else []
    said += [f"{number(count)} rejected"] if count else []
    said += [f"{number(told.conflict_count)} in conflict"] if told.conflict_count else []
    body = f"<h4>{' · '.join(said)}</h4>"
    if told.rejected_by_code:
        rows = told.rejected[:LISTED]
        lines = [
            (
                number(row.index if row.line is None else row.line),
                word(row.code),
                escape(row.field or ""),
                escape(row.message),
            )
            for row in rows
        ]
        where = "line" if rows and rows[0].line is not None else "number"
        body += grid((where, "why", "field", "in words"), lines, (0,), wide=3)
        body += more(len(lines), count, "rejections")
    return body


VIEWS: dict[str, Any] = {
    "HealthScore": score,
    "ScoreChange": change,
    "RevenueReport": revenue,
    "RevenueSeries": series,
    "Movements": movements,
    "Cohorts": cohorts,
    "Applied": applied,
}


def table(rows: Table[Any]) -> str | None:
    """The first rows of a table, with the members that are figures or words."""
    if not rows:
        return page('<p class="sub">no rows</p>')
    if type(rows[0]).__name__ == "HealthScore":
        return page(scores(rows))
    shown = [row.to_dict() for row in rows[:LISTED]]
    head = [name for name, value in shown[0].items() if not isinstance(value, (dict, list))]

    def text(value: Any) -> str:
        if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
            return number(value, 2)
        if isinstance(value, (date, datetime)):
            return when(value)
        return "" if value is None else escape(str(value))

    lines = [[text(row.get(name)) for name in head] for row in shown]
    figures = [place for place, name in enumerate(head) if isinstance(shown[0][name], (int, float, Decimal))]
    return page(grid([word(name) for name in head], lines, figures) + more(len(shown), len(rows)))
