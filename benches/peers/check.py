"""Compares two files of answers: readings and scores to 1e-9, money, heads and bands exactly."""

import json
import sys
from itertools import zip_longest

TOLERANCE = 1e-9
MOST_SHOWN = 10


def same(a, b):
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) and isinstance(b, (int, float)) or isinstance(b, float) and isinstance(a, int):
        return abs(a - b) <= TOLERANCE * max(1.0, abs(a))
    return a == b


def differences(left, right):
    for number, (a, b) in enumerate(zip_longest(left, right), 1):
        if a == b:
            continue
        if a is None or b is None:
            yield f"line {number}: only one of them goes on"
            return
        a, b = json.loads(a), json.loads(b)
        where = " ".join(str(a[key]) for key in ("as_of", "client", "month") if key in a)
        for key in sorted(a.keys() | b.keys()):
            if not same(a.get(key), b.get(key)):
                yield f"{where}: {key}: {a.get(key)} and {b.get(key)}"


def main():
    with open(sys.argv[1]) as left, open(sys.argv[2]) as right:
        count = 0
        for count, difference in enumerate(differences(left, right), 1):
            if count <= MOST_SHOWN:
                print(f"  {difference}")
        if count:
            print(f"  {count} differences")
    sys.exit(1 if count else 0)


main()
