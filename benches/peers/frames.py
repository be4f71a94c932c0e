"""The job in Polars: lazy frames over Parquet with what they need pushed down, or over the log."""

import os
import time
from datetime import datetime, timedelta

import job

ARGS = job.arguments()
# Polars reads this once, as it is loaded.
os.environ["POLARS_MAX_THREADS"] = str(ARGS.threads)

import polars as pl  # noqa: E402

DATA = {
    "metric": pl.String,
    "count": pl.Int32,
    "user": pl.String,
    "ticket": pl.String,
    "rating": pl.Int32,
    "subscription": pl.String,
    "status": pl.String,
    "amount": pl.String,
    "interval": pl.Struct({"unit": pl.String}),
    "seats": pl.Int32,
    "invoice": pl.String,
    "due": pl.String,
    "value": pl.Int32,
}


def start_of(day):
    return datetime(day.year, day.month, day.day)


def read_parquet(folder):
    frames = {path.stem: pl.scan_parquet(path) for path in folder.glob("*.parquet")}
    # What is small and asked more than once is kept.
    return {name: frame if name == "usage" else frame.collect().lazy() for name, frame in frames.items()}


def read_log(file, since):
    """The tables from the events of the log; of usage only the days that the question needs."""
    schema = {"subject": pl.String, "type": pl.String, "time": pl.String, "data": pl.Struct(DATA)}
    kind = pl.col("type")
    # Instants are in UTC and of one form, so they compare as text, and only what stays is read as time.
    needed = (kind != "usage.counted") | (pl.col("time") >= str(since))
    events = (
        pl.scan_ndjson(file, schema=schema)
        .filter(needed)
        .select(
            pl.col("subject").alias("client"),
            "type",
            pl.col("time").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us"),
            pl.col("data").struct.unnest(),
        )
        .collect()
        .lazy()
    )

    def when(name, take):
        return pl.col("time").filter(kind == name).pipe(take)

    first, last = pl.Expr.min, pl.Expr.max
    frames = {
        "usage": events.filter(kind == "usage.counted").select("client", "time", "metric", "count", "user"),
        "tickets": events.filter(kind.str.starts_with("support."))
        .group_by("client", "ticket")
        .agg(
            when("support.ticket_opened", first).alias("opened_at"),
            when("support.ticket_replied", first).alias("first_reply_at"),
            when("support.ticket_resolved", last).alias("resolved_at"),
            when("support.ticket_rated", last).alias("rated_at"),
            pl.col("rating").max(),
        ),
        "subscriptions": events.filter(kind == "billing.subscription_set").select(
            "client",
            "subscription",
            "time",
            "status",
            pl.col("amount").cast(pl.Decimal(18, 2)),
            pl.col("interval").struct.field("unit"),
            "seats",
        ),
        "invoices": events.filter(kind.str.starts_with("billing.invoice_"))
        .group_by("client", "invoice")
        .agg(
            pl.col("amount").max().cast(pl.Decimal(18, 2)),
            pl.col("due").max().str.to_date("%Y-%m-%d"),
            when("billing.invoice_issued", first).alias("issued_at"),
            when("billing.invoice_paid", first).alias("paid_at"),
        ),
        "sentiment": events.filter(kind == "client.sentiment_set").select("client", "time", "value"),
    }
    return {name: frame.collect().lazy() for name, frame in frames.items()}


def contracts(frames):
    factor = pl.when(pl.col("unit") == "month").then(12).otherwise(1)
    annual = (pl.col("amount") * 100).cast(pl.Int64) * factor
    pays = pl.col("status").is_in(["active", "past_due"])
    states = frames["subscriptions"].with_columns(paid=pl.when(pays).then(annual).otherwise(0))
    return states.sort("client", "subscription", "time").collect().lazy()


def curve(signal, points):
    """Straight between the points, constant outside."""
    x = pl.col(signal)
    worth = pl.when(x.is_null()).then(None).when(x < points[0][0]).then(float(points[0][1]))
    for (x0, y0), (x1, y1) in zip(points, points[1:]):
        worth = worth.when(x < x1).then(y0 + (x - x0) * (y1 - y0) / (x1 - x0))
    return worth.otherwise(float(points[-1][1]))


def scored(readings):
    """The readings with score and band: weighted means of what is there, if enough is."""
    points = []
    for _, signal, _, pairs, missing in job.PARTS:
        worth = curve(signal, pairs)
        points.append((worth if missing is None else worth.fill_null(missing)).alias(f"p_{signal}"))
    groups = []
    for number, _ in enumerate(job.GROUP_WEIGHTS):
        parts = [(signal, weight) for of, signal, weight, *_ in job.PARTS if of == number and weight]
        total = sum(weight for _, weight in parts)
        mean = weighted([(f"p_{signal}", weight) for signal, weight in parts])
        covered = pl.sum_horizontal(pl.col(signal).is_not_null() * weight for signal, weight in parts) / total
        groups += [mean.alias(f"g{number}"), covered.alias(f"c{number}")]
    weights = list(enumerate(job.GROUP_WEIGHTS))
    covered = pl.sum_horizontal(pl.col(f"c{number}") * weight for number, weight in weights)
    enough = covered / sum(job.GROUP_WEIGHTS) + job.TOLERANCE >= job.MIN_COVERAGE
    score = pl.when(enough).then(weighted([(f"g{number}", weight) for number, weight in weights]))
    band = pl.when(pl.col("score").is_null()).then(pl.lit("unknown"))
    for start, name in reversed(job.BANDS):
        band = band.when(pl.col("score") + job.TOLERANCE >= start).then(pl.lit(name))
    return (
        readings.with_columns(points)
        .with_columns(groups)
        .with_columns(score=score)
        .select("client", *job.SIGNALS, "score", band.alias("band"))
    )


def weighted(columns):
    sums = pl.sum_horizontal(pl.col(name) * weight for name, weight in columns)
    there = pl.sum_horizontal(pl.col(name).is_not_null() * weight for name, weight in columns)
    return pl.when(there > 0).then(sums / there)


def client_table(frames, day):
    """The readings and the score of every client as of the end of a day."""
    end = start_of(day) + timedelta(days=1)
    since = {days: end - timedelta(days=days) for days in (1, 7, 28, 30, 56, 90)}
    time_, count = pl.col("time"), pl.col("count")
    today = pl.lit(day)

    usage = frames["usage"].filter((time_ >= since[56]) & (time_ < end))
    of_metric = usage.group_by("client", "metric").agg(
        now=count.filter(time_ >= since[28]).sum(),
        before=count.filter(time_ < since[28]).sum(),
        last_at=time_.max(),
    )
    metric = pl.col("metric")
    used = of_metric.group_by("client").agg(
        (pl.col("now") > 0).sum().cast(pl.Float64).alias("breadth"),
        (today - pl.col("last_at").max().dt.date()).dt.total_days().cast(pl.Float64).alias("days_since_use"),
        *(pl.col("now").filter(metric == name).sum().cast(pl.Float64).alias(name) for name in job.METRICS),
        *(
            pl.col("before").filter(metric == name).sum().cast(pl.Float64).alias(f"{name}_before")
            for name in job.METRICS
        ),
    )
    with_user = frames["usage"].filter((time_ >= since[30]) & (time_ < end) & pl.col("user").is_not_null())
    last_at = pl.col("last_at")
    active = (
        with_user.group_by("client", "user")
        .agg(last_at=time_.max())
        .group_by("client")
        .agg(
            mau=pl.len().cast(pl.Float64),
            wau=(last_at >= since[7]).sum().cast(pl.Float64),
            dau=(last_at >= since[1]).sum().cast(pl.Float64),
        )
    )

    opened, replied, resolved, rated = (
        pl.col(name) for name in ("opened_at", "first_reply_at", "resolved_at", "rated_at")
    )
    hours = (replied - opened).dt.total_microseconds() / 3.6e9
    support = (
        frames["tickets"]
        .filter(opened < end)
        .group_by("client")
        .agg(
            tickets_open=(resolved.is_null() | (resolved >= end)).sum().cast(pl.Float64),
            tickets_recent=(opened >= since[28]).sum().cast(pl.Float64),
            first_response_hours=hours.filter((opened >= since[90]) & (replied < end)).median(),
            csat=pl.col("rating").filter((rated >= since[90]) & (rated < end)).mean(),
        )
    )
    paid = pl.col("paid")
    money = (
        frames["contracts"]
        .filter(time_ < end)
        .group_by("client", "subscription", maintain_order=True)
        .agg(
            paid.last(),
            pl.col("seats").last(),
            first_at=time_.first(),
            paid_at=time_.filter(paid > 0).first(),
        )
        .group_by("client")
        .agg(
            mrr=paid.sum() / 1200.0,
            paid_seats=pl.col("seats").filter(paid > 0).sum(),
            first_at=pl.col("first_at").min(),
            tenure_days=(today - pl.col("paid_at").min().dt.date()).dt.total_days().cast(pl.Float64),
        )
    )
    settled = pl.col("paid_at")
    is_owed = (pl.col("issued_at") < end) & (settled.is_null() | (settled >= end)) & (pl.col("amount") > 0)
    owed = (
        frames["invoices"]
        .filter(is_owed)
        .group_by("client")
        .agg(overdue_days=(today - pl.col("due").min()).dt.total_days().clip(0).cast(pl.Float64))
    )
    age = (today - time_.max().dt.date()).dt.total_days()
    pulled = 50 + (pl.col("value").sort_by("time").last() - 50) * pl.lit(2.0).pow(-age / 90)
    voice = (
        frames["sentiment"]
        .filter(time_ < end)
        .group_by("client")
        .agg(sentiment=pl.when(age <= 180).then(pulled))
    )

    table = money
    for other in (used, active, support, owed, voice):
        table = table.join(other, on="client", how="left")
    counts = ["wau", "mau", "breadth", "tickets_open", "tickets_recent", "overdue_days", *job.METRICS]
    was_there = pl.col("first_at") < since[28]
    before = [pl.col(f"{name}_before") for name in job.METRICS]
    readings = table.with_columns(
        *((pl.when(sums > 0).then(pl.col(name).fill_null(0) / sums)).alias(f"{name}_trend") for name, sums in zip(job.METRICS, before)),
        pl.when(pl.col("mau") > 0).then(pl.col("dau") / pl.col("mau")).alias("stickiness"),
        pl.when(pl.col("paid_seats") > 0).then(pl.col("mau").fill_null(0) / pl.col("paid_seats")).alias("seat_use"),
        *(pl.col(name).fill_null(0) for name in counts),
        *(pl.when(was_there).then(sums.fill_null(0)) for sums in before),
    )
    return scored(readings)


def months(frames):
    """The twelve months: what each client paid just before each of their bounds, and what it did in between."""
    states = frames["contracts"].with_columns(
        until=pl.col("time").shift(-1).over("client", "subscription").fill_null(datetime(9999, 1, 1))
    )
    paying = states.filter(pl.col("paid") > 0)
    bounds = [start_of(day) for day in job.BOUNDARIES]
    paid = paying.group_by("client").agg(
        pl.col("time").min().alias("first_at"),
        *(
            pl.col("paid").filter((pl.col("time") < bound) & (pl.col("until") >= bound)).sum().alias(str(number))
            for number, bound in enumerate(bounds)
        ),
    )
    columns = {}
    for number, start in enumerate(bounds[:-1]):
        o, c = pl.col(str(number)), pl.col(str(number + 1))
        is_first = pl.col("first_at") >= start
        came, went, stayed = (o == 0) & (c > 0), (o > 0) & (c == 0), (o > 0) & (c > 0)
        columns[f"{start:%Y-%m}"] = {
            "opening": o.sum(),
            "new": c.filter(came & is_first).sum(),
            "reactivation": c.filter(came & ~is_first).sum(),
            "expansion": (c - o).filter(stayed & (c > o)).sum(),
            "contraction": (o - c).filter(stayed & (c < o)).sum(),
            "churn": o.filter(went).sum(),
            "closing": c.sum(),
            "retained": c.filter(o > 0).sum(),
            "kept": pl.min_horizontal(o, c).sum(),
            "opening_clients": (o > 0).sum(),
            "new_clients": (came & is_first).sum(),
            "reactivated_clients": (came & ~is_first).sum(),
            "churned_clients": went.sum(),
            "closing_clients": (c > 0).sum(),
        }
    flat = [value.alias(f"{month} {name}") for month, row in columns.items() for name, value in row.items()]
    sums = paid.select(flat).collect().row(0, named=True)
    return [
        job.rates({"month": month, **{name: sums[f"{month} {name}"] for name in row}})
        for month, row in columns.items()
    ]


def main():
    begun = time.perf_counter()
    days = job.month_ends(ARGS.instants)
    if ARGS.source == "parquet":
        frames = read_parquet(ARGS.data)
    else:
        frames = read_log(ARGS.data / "events.ndjson", days[0] - timedelta(days=55))
    frames["contracts"] = contracts(frames)
    loaded = time.perf_counter()
    tables = list(zip(days, pl.collect_all([client_table(frames, day) for day in days])))
    revenue = months(frames)
    rows = [(day, table.iter_rows) for day, table in tables]
    job.finish(ARGS, pl.__version__, begun, loaded, rows, revenue)


if __name__ == "__main__":
    main()
