"""Retention of the shared data sets, worked out from the tables alone.

The figures in `revenue_subscription_periods.rs`, `revenue_invoice_lines.rs` and `revenue_telco.rs` come from here. Nothing
of healthfold is used: plain dicts and exact decimals, and the rules of the contract in their shortest form.

    python3 core/tests/data/retention.py ../shared/data

A line is (client, start, end, amount a month), end exclusive. It counts just before a day D if start < D <= end. A
client's MRR is the sum of its lines. Over a period, o is the MRR just before its first day and c just before its end:
NRR = sum c / sum o and GRR = sum min(c, o) / sum o over clients with o > 0; logo churn = those with c = 0 / those.

Telco has no dates. Its month is taken as December 2019: a client of tenure t > 0 pays since the first day of the month t
months earlier, one of tenure 0 joined on 10 December, and who churned in the month left on the 15th.
"""

import csv
import sys
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

FOREVER = "9999-12-31"


def read(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def invoice_lines(folder):
    rows = read(folder / "invoice-lines/subscriptions.csv")
    return [(r["account_id"], r["start_date"], r["end_date"], Decimal(r["mrr_aud"])) for r in rows]


def subscription_periods(folder):
    rows = read(folder / "subscription-periods/subscription_periods.csv")
    return [(r["customer_id"], r["start_date"], r["end_date"], Decimal(r["monthly_amount"])) for r in rows]


def telco(folder, keep=lambda row: True):
    lines = []
    for r in read(folder / "telco/customers.csv"):
        if not keep(r):
            continue
        months = 2019 * 12 + 11 - int(r["tenure_months"])
        day = 10 if r["tenure_months"] == "0" else 1
        start = f"{months // 12}-{months % 12 + 1:02}-{day:02}"
        end = "2019-12-15" if r["churned_in_month"] == "yes" else FOREVER
        lines.append((r["customer_id"], start, end, Decimal(r["monthly_charges"])))
    return lines


def paying(lines, day):
    """What each client pays just before a day."""
    sums = defaultdict(Decimal)
    for client, start, end, amount in lines:
        if start < day <= end and amount > 0:
            sums[client] += amount
    return sums


def report(lines, first, end):
    before, after = paying(lines, first), paying(lines, end)
    ever = {client for client, start, stop, amount in lines if start < first and start < stop and amount > 0}
    opening = sum(before.values(), Decimal())
    kept = sum((after.get(client, Decimal()) for client in before), Decimal())
    gross = sum((min(after.get(client, Decimal()), o) for client, o in before.items()), Decimal())
    lost = sum(client not in after for client in before)
    new = sum(client not in ever for client in after)
    back = sum(client in ever and client not in before for client in after)
    inside = {client for client, start, stop, amount in lines if first <= start < end and start < stop and amount > 0}
    passing = len(inside - set(before) - set(after))
    closing = sum(after.values(), Decimal())
    return len(before), opening, kept, gross, lost, new, back, passing, closing


def show(name, lines, periods):
    print(name, "| opening heads, mrr | c | min(c, o) | lost, new, back, joined and left | closing | NRR GRR logo churn")
    for label, first, end in periods:
        heads, opening, kept, gross, lost, new, back, passing, closing = report(lines, first, end)
        rates = [f"{kept / opening:.6f}", f"{gross / opening:.6f}", f"{lost / heads:.6f}"] if heads else ["-"] * 3
        print(f'("{label}", {heads}, "{opening}", "{kept}", "{gross}", {lost}, {new}, {back}, {passing}, "{closing}"),', *rates)


def years(first, last):
    return [(str(year), f"{year}-01-01", f"{year + 1}-01-01") for year in range(first, last + 1)]


def months(first, last):
    numbers = range(first[0] * 12 + first[1] - 1, last[0] * 12 + last[1])
    text = [f"{n // 12}-{n % 12 + 1:02}" for n in list(numbers) + [numbers[-1] + 1]]
    return [(label, label + "-01", following + "-01") for label, following in zip(text, text[1:])]


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    show("invoice lines, years", invoice_lines(folder), years(2008, 2016))
    show("subscription periods, years", subscription_periods(folder), years(2017, 2020))
    show("subscription periods, months", subscription_periods(folder), months((2017, 9), (2020, 2)))
    periods = [("2019-12", "2019-12-01", "2020-01-01")] + years(2018, 2019)
    show("telco", telco(folder), periods)
    for contract in ("Month-to-month", "One year", "Two year"):
        show(f"telco, {contract}", telco(folder, lambda row: row["contract"] == contract), periods[:1])
