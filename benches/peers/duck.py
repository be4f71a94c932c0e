"""The job in SQL, by DuckDB: from Parquet with what it needs pushed down, or from the log in one pass."""

import time

import duckdb

import job

# The tables as views of the events of the log.
TABLES = {
    "usage": """SELECT client, time, metric, count, "user" FROM events WHERE type = 'usage.counted'""",
    "tickets": """
        SELECT client, ticket,
            min(time) FILTER (type = 'support.ticket_opened') AS opened_at,
            min(time) FILTER (type = 'support.ticket_replied') AS first_reply_at,
            max(time) FILTER (type = 'support.ticket_resolved') AS resolved_at,
            max(time) FILTER (type = 'support.ticket_rated') AS rated_at,
            max(rating) AS rating
        FROM events WHERE starts_with(type, 'support.') GROUP BY client, ticket""",
    "subscriptions": """
        SELECT client, subscription, time, status, amount, unit, seats
        FROM events WHERE type = 'billing.subscription_set'""",
    "invoices": """
        SELECT client, invoice, any_value(amount) AS amount, any_value(due) AS due,
            min(time) FILTER (type = 'billing.invoice_issued') AS issued_at,
            min(time) FILTER (type = 'billing.invoice_paid') AS paid_at
        FROM events WHERE starts_with(type, 'billing.invoice_') GROUP BY client, invoice""",
    "sentiment": """SELECT client, time, value FROM events WHERE type = 'client.sentiment_set'""",
}


def read_events(log, where="true", once=False, named=False):
    """The lines of the log with typed columns; `once`: of each identity one event; `named`: with their ids."""
    distinct = "DISTINCT ON (source, id)" if once else ""
    identity = "id: 'VARCHAR', source: 'VARCHAR'," if once or named else ""
    return f"""
        SELECT {distinct} {"id," if named else ""} subject AS client, type, time, data.metric, data.count, data.user,
            data.ticket, data.rating, data.subscription, data.status, data.amount, data.interval.unit AS unit,
            data.seats, data.invoice, data.due, data.value
        FROM read_json('{log}', format = 'newline_delimited', columns = {{
            {identity} subject: 'VARCHAR', type: 'VARCHAR', time: 'TIMESTAMP',
            data: 'STRUCT(metric VARCHAR, count INTEGER, "user" VARCHAR, ticket VARCHAR, rating INTEGER,
                subscription VARCHAR, status VARCHAR, amount DECIMAL(18, 2), "interval" STRUCT(unit VARCHAR),
                seats INTEGER, invoice VARCHAR, due DATE, value INTEGER)'}})
        WHERE {where}"""


def curve(x, points):
    """Straight between the points, constant outside."""
    (first, low), (_, high) = points[0], points[-1]
    pieces = [f"WHEN {x} < {first} THEN {float(low)}"]
    for (x0, y0), (x1, y1) in zip(points, points[1:]):
        pieces.append(f"WHEN {x} < {x1} THEN {y0} + ({x} - {x0}) * {y1 - y0} / {float(x1 - x0)}")
    return f"CASE WHEN {x} IS NULL THEN NULL {' '.join(pieces)} ELSE {float(high)} END"


def score():
    """The score, its coverage left to the band, as steps over a table `readings`."""
    points = []
    for _, signal, _, pairs, missing in job.PARTS:
        worth = curve(signal, pairs)
        points.append(f"{worth if missing is None else f'coalesce({worth}, {missing})'} AS p_{signal}")
    groups, coverage = [], []
    for group, _ in enumerate(job.GROUP_WEIGHTS):
        parts = [(signal, weight) for of, signal, weight, *_ in job.PARTS if of == group and weight]
        total = sum(weight for _, weight in parts)
        sums = " + ".join(f"coalesce({weight} * p_{signal}, 0)" for signal, weight in parts)
        there = " + ".join(f"{weight} * (p_{signal} IS NOT NULL)::INT" for signal, weight in parts)
        covered = " + ".join(f"{weight} * ({signal} IS NOT NULL)::INT" for signal, weight in parts)
        groups.append(f"({sums}) / nullif({there}, 0)::DOUBLE AS g{group}, ({covered}) / {total}::DOUBLE AS c{group}")
    weights = list(enumerate(job.GROUP_WEIGHTS))
    sums = " + ".join(f"coalesce({weight} * g{group}, 0)" for group, weight in weights)
    there = " + ".join(f"{weight} * (g{group} IS NOT NULL)::INT" for group, weight in weights)
    covered = " + ".join(f"{weight} * c{group}" for group, weight in weights)
    bands = " ".join(
        f"WHEN score + {job.TOLERANCE} >= {start} THEN '{name}'" for start, name in reversed(job.BANDS)
    )
    return f"""
        points AS (SELECT *, {", ".join(points)} FROM readings),
        of_groups AS (SELECT *, {", ".join(groups)} FROM points),
        scores AS (
            SELECT *, CASE WHEN ({covered}) / {sum(job.GROUP_WEIGHTS)}.0 + {job.TOLERANCE} >= {job.MIN_COVERAGE}
                THEN ({sums}) / nullif({there}, 0)::DOUBLE END AS score
            FROM of_groups)
        SELECT client, {", ".join(job.SIGNALS)}, score, CASE WHEN score IS NULL THEN 'unknown' {bands} END AS band
        FROM scores"""


def client_table(day):
    """The readings and the score of every client as of the end of a day."""
    since = {days: f"(DATE '{day}' - {days - 1})::TIMESTAMP" for days in (1, 7, 28, 30, 56, 90)}
    end = f"(DATE '{day}' + 1)::TIMESTAMP"
    pays = "state.status IN ('active', 'past_due')"
    sums = ", ".join(
        f"sum(now) FILTER (metric = '{metric}') AS {metric}, sum(before) FILTER (metric = '{metric}') AS {metric}_before"
        for metric in job.METRICS
    )
    counts = ", ".join(
        f"""coalesce({metric}, 0)::DOUBLE AS {metric},
            CASE WHEN first_at < {since[28]} THEN coalesce({metric}_before, 0)::DOUBLE END AS {metric}_before,
            coalesce({metric}, 0) / {metric}_before::DOUBLE AS {metric}_trend"""
        for metric in job.METRICS
    )
    return f"""
        WITH of_metric AS (
            SELECT client, metric, sum(count) FILTER (time >= {since[28]}) AS now,
                sum(count) FILTER (time < {since[28]}) AS before, max(time) AS last_at
            FROM usage WHERE time >= {since[56]} AND time < {end} GROUP BY client, metric),
        used AS (SELECT client, count(now) AS breadth, max(last_at) AS last_at, {sums} FROM of_metric GROUP BY client),
        of_user AS (
            SELECT client, "user", max(time) AS last_at FROM usage
            WHERE time >= {since[30]} AND time < {end} AND "user" IS NOT NULL GROUP BY client, "user"),
        active AS (
            SELECT client, count(*) AS mau, count(*) FILTER (last_at >= {since[7]}) AS wau,
                count(*) FILTER (last_at >= {since[1]}) AS dau
            FROM of_user GROUP BY client),
        support AS (
            SELECT client,
                count(*) FILTER (resolved_at IS NULL OR resolved_at >= {end}) AS tickets_open,
                count(*) FILTER (opened_at >= {since[28]}) AS tickets_recent,
                quantile_cont((epoch_us(first_reply_at) - epoch_us(opened_at)) / 3.6e9, 0.5)
                    FILTER (opened_at >= {since[90]} AND first_reply_at < {end}) AS first_response_hours,
                avg(rating) FILTER (rated_at >= {since[90]} AND rated_at < {end}) AS csat
            FROM tickets WHERE opened_at < {end} GROUP BY client),
        standing AS (
            SELECT client, arg_max({{status: status, annual: annual, seats: seats}}, time) AS state, min(time) AS first_at,
                min(time) FILTER (status IN ('active', 'past_due') AND annual > 0) AS paid_at
            FROM contracts WHERE time < {end} GROUP BY client, subscription),
        money AS (
            SELECT client, coalesce(sum(state.annual) FILTER ({pays}), 0) / 1200.0 AS mrr,
                sum(state.seats) FILTER ({pays} AND state.annual > 0) AS seats, min(first_at) AS first_at,
                DATE '{day}' - min(paid_at)::DATE AS tenure_days
            FROM standing GROUP BY client),
        owed AS (
            SELECT client, greatest(max(DATE '{day}' - due), 0) AS overdue_days FROM invoices
            WHERE issued_at < {end} AND (paid_at IS NULL OR paid_at >= {end}) AND amount > 0 GROUP BY client),
        voice AS (
            SELECT client, arg_max(value, time) AS value, DATE '{day}' - max(time)::DATE AS age
            FROM sentiment WHERE time < {end} GROUP BY client),
        readings AS (
            SELECT client, {counts}, coalesce(wau, 0)::DOUBLE AS wau, coalesce(mau, 0)::DOUBLE AS mau,
                dau / mau::DOUBLE AS stickiness, coalesce(mau, 0) / nullif(seats, 0)::DOUBLE AS seat_use,
                coalesce(breadth, 0)::DOUBLE AS breadth, (DATE '{day}' - last_at::DATE)::DOUBLE AS days_since_use,
                coalesce(tickets_open, 0)::DOUBLE AS tickets_open,
                coalesce(tickets_recent, 0)::DOUBLE AS tickets_recent, first_response_hours, csat, mrr::DOUBLE AS mrr,
                coalesce(overdue_days, 0)::DOUBLE AS overdue_days, tenure_days::DOUBLE AS tenure_days,
                CASE WHEN age <= 180 THEN 50 + (value - 50) * pow(2, -age / 90.0) END AS sentiment
            FROM money LEFT JOIN used USING (client) LEFT JOIN active USING (client) LEFT JOIN support USING (client)
                LEFT JOIN owed USING (client) LEFT JOIN voice USING (client)),
        {score()}"""


def months():
    """The twelve months: what each client paid just before each of their bounds, and what it did in between."""
    starts = ", ".join(f"({number}, TIMESTAMP '{day}')" for number, day in enumerate(job.BOUNDARIES))
    lines = {
        "opening": "o",
        "new": "c * (o = 0 AND first_at >= start)::INT",
        "reactivation": "c * (o = 0 AND first_at < start)::INT",
        "expansion": "greatest(c - o, 0) * (o > 0)::INT",
        "contraction": "greatest(o - c, 0) * (c > 0)::INT",
        "churn": "o * (c = 0)::INT",
        "closing": "c",
        "retained": "c * (o > 0)::INT",
        "kept": "least(c, o)",
    }
    heads = {
        "opening_clients": "o > 0",
        "new_clients": "o = 0 AND c > 0 AND first_at >= start",
        "reactivated_clients": "o = 0 AND c > 0 AND first_at < start",
        "churned_clients": "o > 0 AND c = 0",
        "closing_clients": "c > 0",
    }
    columns = [f"coalesce(sum({line}), 0)::BIGINT AS {name}" for name, line in lines.items()]
    columns += [f"count(*) FILTER ({test}) AS {name}" for name, test in heads.items()]
    return f"""
        WITH bounds(number, start) AS (VALUES {starts}),
        paying AS (
            SELECT client, time, lead(time) OVER (PARTITION BY client, subscription ORDER BY time) AS until,
                CASE WHEN status IN ('active', 'past_due') THEN annual ELSE 0 END AS annual
            FROM contracts),
        first_paid AS (SELECT client, min(time) AS first_at FROM paying WHERE annual > 0 GROUP BY client),
        paid AS (
            SELECT client, number, sum(annual) AS annual
            FROM paying JOIN bounds ON time < start AND (until IS NULL OR until >= start)
            WHERE annual > 0 GROUP BY client, number),
        ends AS (
            SELECT client, number, annual AS o, 0 AS c FROM paid WHERE number < 12
            UNION ALL SELECT client, number - 1, 0, annual FROM paid WHERE number > 0),
        moved AS (
            SELECT client, number, start, first_at, sum(o) AS o, sum(c) AS c
            FROM ends JOIN bounds USING (number) JOIN first_paid USING (client) GROUP BY ALL)
        SELECT strftime(start, '%Y-%m') AS month, {", ".join(columns)} FROM moved GROUP BY start ORDER BY start"""


def main():
    args = job.arguments()
    begun = time.perf_counter()
    days = job.month_ends(args.instants)
    db = duckdb.connect(config={"threads": args.threads})
    db.sql("SET enable_progress_bar = false")
    if args.source == "ndjson":
        # Of usage only the days that the question needs are kept.
        needed = f"type <> 'usage.counted' OR time >= DATE '{days[0]}' - 55"
        of_log = read_events(args.data / "events.ndjson", needed, args.once)
        db.execute(f"CREATE TEMP TABLE events AS {of_log}")
    for name, of_events in TABLES.items():
        table = of_events if args.source == "ndjson" else f"FROM read_parquet('{args.data / name}.parquet')"
        # What is small and asked more than once is kept.
        keep = "VIEW" if name == "usage" or args.source == "parquet" else "TABLE"
        db.execute(f"CREATE TEMP {keep} {name} AS {table}")
    annual = "(amount * 100)::BIGINT * CASE unit WHEN 'month' THEN 12 ELSE 1 END"
    columns = f"client, subscription, time, status, seats, {annual} AS annual"
    db.execute(f"CREATE TEMP TABLE contracts AS SELECT {columns} FROM subscriptions")
    loaded = time.perf_counter()
    # An answer stays where it is: what turns it into Python's values is not on the clock.
    for number, day in enumerate(days):
        db.execute(f"CREATE TEMP TABLE table_{number} AS {client_table(day)}")
    of_months = db.execute(months())
    names = [column[0] for column in of_months.description]
    revenue = [job.rates(dict(zip(names, row))) for row in of_months.fetchall()]
    rows = [(day, lambda n=number: db.execute(f"FROM table_{n}").fetchall()) for number, day in enumerate(days)]
    job.finish(args, duckdb.__version__, begun, loaded, rows, revenue)


if __name__ == "__main__":
    main()
