"""Pictures of results, by Altair: ``pip install 'healthfold[plot]'``.

Each function returns a chart: shown as it is in a notebook, or kept by ``chart.save("name.png")`` (or ``.svg``, ``.html``),
which needs no browser and no network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ._html import COLOURS, LINES

if TYPE_CHECKING:
    from ._results import (
        Cohorts,
        HealthScore,
        Lifetime,
        LifetimeGroup,
        LifetimeRow,
        ModelLtv,
        RevenueReport,
        RevenueSeries,
        SimpleLtv,
    )
    from ._table import Table

__all__ = [
    "alive_matrix",
    "band_flow",
    "cohort_heat_map",
    "ltv_distribution",
    "renewals",
    "retention",
    "score_breakdown",
    "score_history",
    "survival",
    "waterfall",
]

BLUE, ORANGE, GREEN, GREY = "#2f7fc1", "#d1603d", "#3f9a4b", "#8a8f98"
PALETTE = [BLUE, ORANGE, GREEN, GREY, "#8a63b8", "#c2a12f", "#4aa8a0", "#a6556f"]
BANDS = {**COLOURS, "unknown": "#b9bec6"}


def _altair() -> Any:
    try:
        import altair
    except ImportError as error:
        raise ImportError("healthfold.plot needs altair: pip install 'healthfold[plot]'") from error
    return altair


def _done(chart: Any, title: str, subtitle: str = "") -> Any:
    return (
        chart.properties(title={"text": title, "subtitle": subtitle, "anchor": "start"} if subtitle else title)
        .configure(font="system-ui, sans-serif")
        .configure_title(anchor="start", fontSize=15, subtitleFontSize=12, subtitleColor="#666", offset=12)
        .configure_axis(labelFontSize=12, titleFontSize=12, titleFontWeight="normal", gridColor="#e4e6ea", labelLimit=260)
        .configure_view(stroke=None)
        .configure_legend(labelFontSize=12, titleFontSize=12)
    )


def _colour(band: str) -> str:
    return BANDS.get(band.lower(), GREY)


def _model(method: str) -> str:
    """A method of lifetime value as the field writes it."""
    names = {"simple": "the simple formula", "sbg": "sBG", "bdw": "BdW", "pareto_nbd": "Pareto/NBD"}
    return names.get(method, method.upper().replace("_", "/"))


def score_breakdown(score: HealthScore, *, width: int = 460) -> Any:
    """What each part adds to a score, and what it could add at most."""
    alt = _altair()
    rows = []
    for part in score.parts:
        missing = part.reading is None
        why = str(part.missing).replace("_", " ") if missing and part.missing else ""
        name = part.signal.replace("_", " ") + (f" ({why})" if why else "")
        rows.append({"part": name, "adds": part.contribution, "could": part.weight * 100, "missing": missing})
    order = [row["part"] for row in rows]
    data = alt.Data(values=rows)
    y = alt.Y("part:N", sort=order, title=None)
    could = alt.Chart(data).mark_bar(color="#dfe3e8", height=14).encode(
        y=y, x=alt.X("could:Q", title="points of the score; grey: at most"), tooltip=["part:N", "could:Q"]
    )
    adds = alt.Chart(data).mark_bar(color=BLUE, height=14).encode(y=y, x="adds:Q", tooltip=["part:N", "adds:Q"])
    text = alt.Chart(data).transform_filter("!datum.missing").mark_text(align="left", dx=5, fontSize=11).encode(
        y=y, x="could:Q", text=alt.Text("adds:Q", format=".1f")
    )
    head = "no score" if score.score is None else f"{score.score:.0f}, {score.band}"
    chart = (could + adds + text).properties(width=width, height=alt.Step(24))
    return _done(chart, f"{score.client}: {head}", f"{score.as_of:%d %b %Y}, {score.coverage:.0%} of the model seen")


def score_history(history: Table[HealthScore], bands: Sequence[Any] = (), *, width: int = 620, height: int = 260) -> Any:
    """A score over time, over the bands of its model (``model.bands``)."""
    alt = _altair()
    rows = [{"at": row.as_of.isoformat(), "score": row.score, "band": row.band} for row in history]
    line = (
        alt.Chart(alt.Data(values=rows))
        .mark_line(color="#20252b", strokeWidth=2, interpolate="step-after")
        .encode(
            x=alt.X("at:T", title=None, scale=alt.Scale(type="utc"), axis=alt.Axis(format="%d %b", grid=False, labelOverlap=True)),
            y=alt.Y("score:Q", title="score", scale=alt.Scale(domain=[0, 100])),
            tooltip=[alt.Tooltip("at:T", format="%d %b %Y"), alt.Tooltip("score:Q", format=".1f"), "band:N"],
        )
    )
    ends = [band.from_ for band in bands[1:]] + [100]
    grounds = [
        {"band": band.name, "from": band.from_, "to": end, "colour": _colour(band.name)} for band, end in zip(bands, ends)
    ]
    chart = line
    if grounds:
        ground = (
            alt.Chart(alt.Data(values=grounds))
            .mark_rect(opacity=0.16)
            .encode(y="from:Q", y2="to:Q", color=alt.Color("colour:N", scale=None))
        )
        # Beside the plot, where no line runs over them.
        label = (
            alt.Chart(alt.Data(values=grounds))
            .mark_text(align="left", x=width + 6, dy=-8, fontSize=11, opacity=0.75)
            .encode(y="from:Q", text="band:N")
        )
        chart = ground + label + line
    client = history[0].client if len(history) else ""
    return _done(chart.properties(width=width, height=height), f"Health of {client}")


def waterfall(report: RevenueReport, *, currency: str | None = None, width: int = 640, height: int = 300) -> Any:
    """The MRR of a period from opening to closing. Of a book in several currencies say which."""
    alt = _altair()
    row = report.total
    if row is None or (currency is not None and currency != report.currency):
        row = (report.by_currency or {}).get(currency or "")
    if row is None:
        known = ", ".join(report.by_currency or {}) or str(report.currency)
        raise ValueError(f"the report has no total of its own: say `currency`, one of {known}")
    unit = currency or report.currency or ""
    rows, level = [], 0.0
    for name, way, _ in LINES:
        amount, sign = float(getattr(row, name).mrr), {"": 0, "+": 1, "−": -1}[way]
        if sign and not amount:
            continue
        start, level = (0.0, amount) if not sign else (level, level + sign * amount)
        kind = "total" if not sign else ("up" if level >= start else "down")
        text = f"{amount:,.0f}" if not sign else f"{level - start:+,.0f}".replace("-", "−")
        rows.append({"line": name, "from": start, "to": level, "top": max(start, level), "kind": kind, "text": text})
    data = alt.Data(values=rows)
    x = alt.X("line:N", sort=[row["line"] for row in rows], title=None, axis=alt.Axis(labelAngle=0))
    colours = alt.Scale(domain=["total", "up", "down"], range=[GREY, BLUE, ORANGE])
    bars = alt.Chart(data).mark_bar(size=44).encode(
        x=x,
        y=alt.Y("from:Q", title=f"MRR, {unit}", axis=alt.Axis(format="~s")),
        y2="to:Q",
        color=alt.Color("kind:N", scale=colours, legend=None),
    )
    text = alt.Chart(data).mark_text(dy=-7, fontSize=11).encode(x=x, y="top:Q", text="text:N")
    period = f"{report.period.start:%d %b %Y} to before {report.period.end:%d %b %Y}"
    return _done((bars + text).properties(width=width, height=height), "MRR from opening to closing", period)


def retention(series: RevenueSeries, *, width: int = 620, height: int = 280) -> Any:
    """NRR and GRR over time, each with its 95 % interval."""
    alt = _altair()
    rows = []
    for report in series.rows:
        if report.total is None:
            continue
        for name in ("nrr", "grr"):
            rate = getattr(report.total, name)
            if rate.value is not None:
                start = report.period.start.isoformat()
                rows.append({"start": start, "rate": name.upper(), "value": rate.value, "low": rate.low, "high": rate.high})
    data = alt.Data(values=rows)
    colour = alt.Color("rate:N", title=None, scale=alt.Scale(domain=["NRR", "GRR"], range=[BLUE, ORANGE]), legend=alt.Legend(orient="top", symbolOpacity=1))
    axis = alt.Axis(format="%b %Y", grid=False, labelOverlap=True, tickCount="month")
    x = alt.X("start:T", title=None, scale=alt.Scale(type="utc"), axis=axis)
    y = alt.Y("value:Q", title="of the opening MRR", axis=alt.Axis(format="%"), scale=alt.Scale(zero=False))
    ground = alt.Chart(data).mark_area(opacity=0.16).encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=colour)
    line = alt.Chart(data).mark_line(point=True).encode(
        x=x, y=y, color=colour, tooltip=["rate:N", alt.Tooltip("value:Q", format=".1%"), alt.Tooltip("low:Q", format=".1%"), alt.Tooltip("high:Q", format=".1%")]
    )
    rule = alt.Chart(alt.Data(values=[{"one": 1}])).mark_rule(strokeDash=[4, 3], color=GREY).encode(y="one:Q")
    return _done((ground + rule + line).properties(width=width, height=height), "Net and gross revenue retention", "with 95 % intervals")


def cohort_heat_map(cohorts: Cohorts, *, money: bool = False) -> Any:
    """The share of each cohort that still pays, month by month; with ``money`` the share of its MRR."""
    alt = _altair()
    rows, top = [], 1.0
    for cohort in cohorts.cohorts:
        for cell in cohort.cells:
            share = cell.mrr_share if money else cell.clients_share
            if share is not None:
                rows.append({"cohort": f"{cohort.cohort} ({cohort.clients})", "month": cell.months, "share": share})
                top = max(top, share)
    data = alt.Data(values=rows)
    x = alt.X("month:O", title="months after the first", axis=alt.Axis(labelAngle=0))
    y = alt.Y("cohort:O", title="began to pay (clients)")
    cells = alt.Chart(data).mark_rect(stroke="white").encode(
        x=x,
        y=y,
        color=alt.Color("share:Q", scale=alt.Scale(scheme="blues", domain=[0, top]), legend=alt.Legend(format="%", title=None)),
        tooltip=["cohort:O", "month:O", alt.Tooltip("share:Q", format=".1%")],
    )
    text = alt.Chart(data).mark_text(fontSize=10).encode(
        x=x,
        y=y,
        text=alt.Text("share:Q", format=".0%"),
        color=alt.condition("datum.share > 0.6", alt.value("white"), alt.value("#20252b")),
    )
    what = "MRR" if money else "clients"
    chart = (cells + text).properties(width=alt.Step(40), height=alt.Step(24))
    return _done(chart, f"Cohorts: share of {what} kept")


def band_flow(before: Table[HealthScore], after: Table[HealthScore], bands: Sequence[Any] = ()) -> Any:
    """How many clients went from which band to which, between two dates: ``scores`` at each."""
    alt = _altair()
    last: Mapping[str, str] = {row.client: row.band for row in after}
    moves: dict[tuple[str, str], int] = {}
    for row in before:
        pair = (row.band, last.get(row.client, "gone"))
        moves[pair] = moves.get(pair, 0) + 1
    known = [band.name for band in bands]
    others = sorted({band for pair in moves for band in pair} - set(known))
    order = known[::-1] + others
    rows = [{"from": a, "to": b, "clients": n, "share": n / sum(m for (c, _), m in moves.items() if c == a)} for (a, b), n in moves.items()]
    data = alt.Data(values=rows)
    x = alt.X("to:N", sort=order, title="band after", axis=alt.Axis(labelAngle=0, orient="top"))
    y = alt.Y("from:N", sort=order, title="band before")
    cells = alt.Chart(data).mark_rect(stroke="white").encode(
        x=x,
        y=y,
        color=alt.Color("share:Q", scale=alt.Scale(scheme="blues", domain=[0, 1]), legend=alt.Legend(format="%", title="of the band before")),
    )
    text = alt.Chart(data).mark_text(fontSize=12).encode(
        x=x, y=y, text="clients:Q", color=alt.condition("datum.share > 0.6", alt.value("white"), alt.value("#20252b"))
    )
    first = before[0].as_of if len(before) else None
    then = after[0].as_of if len(after) else None
    when = f"{first:%d %b %Y} to {then:%d %b %Y}" if first and then else ""
    return _done((cells + text).properties(width=alt.Step(90), height=alt.Step(44)), "Clients by band, before and after", when)


def survival(lifetime: Lifetime, *, width: int = 620, height: int = 320) -> Any:
    """The share of clients that stays longer than an age, with its 95 % interval; of a grouped answer a curve for each group."""
    alt = _altair()
    curves: list[tuple[str, LifetimeGroup | LifetimeRow]]
    curves = [(str(group.key) if group.key is not None else "none", group) for group in lifetime.groups or ()]
    rows, names = [], []
    for name, curve in curves or [("all", lifetime.total)]:
        label = f"{name} ({curve.n})"
        names.append(label)
        rows.append({"group": label, "days": 0, "share": 1.0, "low": 1.0, "high": 1.0, "at_risk": curve.n})
        for point in curve.points:
            if point.time == 0:
                rows.pop()
            rows.append(
                {"group": label, "days": point.time, "share": point.survival, "low": point.low, "high": point.high, "at_risk": point.at_risk}
            )
    data = alt.Data(values=rows)
    legend = alt.Legend(orient="top", symbolOpacity=1, columns=4) if len(names) > 1 else None
    colours = [PALETTE[i % len(PALETTE)] for i in range(len(names))]
    colour = alt.Color("group:N", title=None, sort=names, scale=alt.Scale(domain=names, range=colours), legend=legend)
    x = alt.X("days:Q", title="days since a client began to pay", axis=alt.Axis(grid=False, labelOverlap=True), scale=alt.Scale(nice=False))
    y = alt.Y("share:Q", title="still paying", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1]))
    ground = (
        alt.Chart(data)
        .transform_filter("isValid(datum.low)")
        .mark_area(opacity=0.15, interpolate="step-after")
        .encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=colour)
    )
    line = (
        alt.Chart(data)
        .mark_line(interpolate="step-after", strokeWidth=2)
        .encode(
            x=x, y=y, color=colour, tooltip=["group:N", "days:Q", alt.Tooltip("share:Q", format=".1%"), alt.Tooltip("at_risk:Q", title="at risk")]
        )
    )
    test = lifetime.log_rank
    told = "with 95 % intervals"
    if test is not None and test.p_value is not None:
        told += f"; log-rank p {'below 0.001' if test.p_value < 0.001 else f'= {test.p_value:.3f}'}"
    return _done((ground + line).properties(width=width, height=height), "How long clients stay", told)


def renewals(ltv: ModelLtv, *, width: int = 620, height: int = 320) -> Any:
    """How many clients under contract make each renewal: what the model says as a line, what was seen as dots."""
    alt = _altair()
    models = [(model, model.curve) for model in ltv.models if model.curve is not None]
    if not models:
        raise ValueError("only models of contracts (`sbg`, `bdw`) with clients enough have such a curve")
    rows, names = [], []
    for model, curve in models:
        label = f"{model.key if model.key is not None else ('all' if len(models) == 1 else 'none')} ({model.n})"
        names.append(label)
        seen: float | None = 1.0
        for point in curve:
            if point.renewals:
                # Counted on from renewal to renewal, as far as any client came up for one.
                seen = seen * point.renewed / point.due if seen is not None and point.due else None
            rows.append({"group": label, "renewals": point.renewals, "share": point.survival, "seen": seen, "due": point.due})
    unit = models[0][0].unit
    data = alt.Data(values=rows)
    legend = alt.Legend(orient="top", symbolOpacity=1, columns=4) if len(names) > 1 else None
    colours = [PALETTE[i % len(PALETTE)] for i in range(len(names))]
    colour = alt.Color("group:N", title=None, sort=names, scale=alt.Scale(domain=names, range=colours), legend=legend)
    axis = alt.Axis(grid=False, labelOverlap=True, tickMinStep=1)
    x = alt.X("renewals:Q", title=f"renewals, one each {unit}", axis=axis, scale=alt.Scale(nice=False))
    y = alt.Y("share:Q", title="still paying", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1]))
    line = alt.Chart(data).mark_line(strokeWidth=2).encode(x=x, y=y, color=colour)
    dots = (
        alt.Chart(data)
        .transform_filter("isValid(datum.seen)")
        .mark_point(filled=True, size=40, opacity=0.8)
        .encode(
            x=x,
            y=alt.Y("seen:Q"),
            color=colour,
            tooltip=[
                "group:N",
                "renewals:Q",
                alt.Tooltip("seen:Q", format=".1%"),
                alt.Tooltip("share:Q", title="model", format=".1%"),
                alt.Tooltip("due:Q", title="came up for it"),
            ],
        )
    )
    told = f"line: by {_model(ltv.method)}; dots: as seen"
    return _done((line + dots).properties(width=width, height=height), "How many make each renewal", told)


def ltv_distribution(ltv: ModelLtv | SimpleLtv, *, currency: str | None = None, width: int = 620, height: int = 280) -> Any:
    """How the values of clients spread, with their mean and median. Of a book in several currencies say which."""
    alt = _altair()
    known = sorted({row.currency for row in ltv.clients if row.value is not None and row.currency is not None})
    unit = currency or (known[0] if len(known) == 1 else None)
    if unit is None:
        raise ValueError(f"no client has a value of its own currency: say `currency`, one of {', '.join(known) or 'none'}")
    values = sorted(row.value for row in ltv.clients if row.value is not None and row.currency == unit)
    if not values:
        raise ValueError(f"no client has a value in {unit}")
    # A few great ones would leave the others one bar: what is above the 99th of a hundred stands in the last.
    top = values[min(len(values) - 1, int(len(values) * 0.99))]
    rows = [{"value": min(value, top)} for value in values]
    cut = " (the greatest in the last bar)" if values[-1] > top else ""
    money = alt.Axis(labelExpr="datum.value == 0 ? '0' : format(datum.value, '~s')", grid=False)
    bars = (
        alt.Chart(alt.Data(values=rows))
        .mark_bar(color=BLUE)
        .encode(
            x=alt.X("value:Q", bin=alt.Bin(maxbins=40), title=f"value of a client, {unit}{cut}", axis=money),
            y=alt.Y("count():Q", title="clients"),
            tooltip=[alt.Tooltip("count():Q", title="clients")],
        )
    )
    middle = len(values) // 2
    median = values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2
    mean = sum(values) / len(values)
    right = max(median, mean)
    marks = [
        {"at": median, "right": right, "text": f"median {median:,.0f}", "kind": "median"},
        {"at": mean, "right": right, "text": f"mean {mean:,.0f} (dashed)", "kind": "mean"},
    ]
    dash = alt.StrokeDash("kind:N", scale=alt.Scale(domain=["median", "mean"], range=[[1, 0], [5, 4]]), legend=None)
    lines = alt.Chart(alt.Data(values=marks))
    rule = lines.mark_rule(color=ORANGE, strokeWidth=1.5).encode(x="at:Q", strokeDash=dash)
    # Beside the outer line, so that neither stands on a bar of the other.
    text = (
        lines.transform_calculate(line="datum.kind == 'median' ? 12 : 28")
        .mark_text(align="left", dx=6, fontSize=11, color="#a3451f")
        .encode(x="right:Q", y=alt.Y("line:Q", scale=None, axis=None), text="text:N")
    )
    ahead = f"{ltv.horizon_months} months ahead" if ltv.horizon_months is not None else "unbounded"
    basis = f"margin {ltv.margin}" if ltv.basis == "margin" else "revenue"
    told = f"by {_model(ltv.method)}, {ahead}, on {basis}"
    without = sum(row.value is None and row.currency == unit for row in ltv.clients)
    told += f"; {without} without a value left out" if without else ""
    chart = (bars + rule + text).properties(width=width, height=height)
    return _done(chart, "Lifetime value by client", told)


def alive_matrix(ltv: ModelLtv, *, cell: int = 18) -> Any:
    """The chance that a buyer is still there by how often and how lately it bought, for clients known as long as the oldest."""
    alt = _altair()
    alive = ltv.alive
    if alive is None:
        raise ValueError("only models of purchases without `group_by` have such a matrix")
    rows = [
        {"frequency": frequency, "recency": round(recency, 1), "alive": chance}
        for frequency, chances in zip(alive.frequency, alive.p_alive)
        for recency, chance in zip(alive.recency_weeks, chances)
        if chance is not None
    ]
    weeks = alt.Axis(labelAngle=0, labelOverlap=True, labelExpr="format(datum.value, '.0f')")
    cells = (
        alt.Chart(alt.Data(values=rows))
        .mark_rect()
        .encode(
            x=alt.X("recency:O", title="weeks from the first purchase to the last", axis=weeks),
            y=alt.Y("frequency:O", title="repeat purchases", axis=alt.Axis(labelOverlap=True)),
            color=alt.Color("alive:Q", scale=alt.Scale(scheme="viridis", domain=[0, 1]), legend=alt.Legend(format="%", title="still there")),
            tooltip=["frequency:O", "recency:O", alt.Tooltip("alive:Q", format=".1%")],
        )
    )
    chart = cells.properties(width=alt.Step(cell), height=alt.Step(cell))
    told = f"clients whose first purchase was {alive.age_weeks:.0f} weeks ago, by {_model(ltv.method)}"
    return _done(chart, "The chance that a buyer is still there", told)
