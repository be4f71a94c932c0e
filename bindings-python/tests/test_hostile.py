"""The worst inputs, through Python: a result or a HealthfoldError, in bounded time and memory, and nothing left behind.

What they cost in the core is measured in `core/tests/hostile_table.rs`.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from typing import Any, Callable

import pytest
from conftest import MOOD, usage

from healthfold import Applied, Engine, HealthfoldError, Model

MOST_SECONDS = 60.0
MOST_BYTES = 512 << 20


def line(data: str) -> bytes:
    start = '{"id":"1","source":"s","type":"usage.counted","subject":"a","time":"2026-01-05T10:00:00Z","data":'
    return (start + data + "}\n").encode()


def nested(depth: int) -> Any:
    inside: Any = []
    for _ in range(depth):
        inside = [inside]
    return inside


def nested_group(depth: int) -> str:
    group = '{"name":"g","groups":['
    return '{"name":"m","signals":{},"bands":[{"name":"red","from":0}],"groups":[' + group * depth + "]}" * depth + "]}"


def many(count: int, name: Callable[[int], str]) -> list[dict[str, Any]]:
    return [usage(n, name(n)) for n in range(count)]


def colliding(n: int) -> str:
    """Ids of one quick hash: see `core/src/index.rs`."""
    return f"aaaaaaaa\x0cgW\u01cer]qbbbbbbbbbbbbbbbb{n:07}"


def refused(applied: Applied) -> list[str]:
    return sorted(applied.rejected_by_code)


LOGS: list[tuple[str, Callable[[], Any], list[str]]] = [
    ("brackets", lambda: line("[" * 500_000), ["limit_exceeded"]),
    ("one long line", lambda: b"x" * (32 << 20), ["too_long"]),
    ("a million members", lambda: line("{" + ",".join(f'"k{n}":1' for n in range(1_000_000)) + "}"), ["too_long"]),
    ("one member often", lambda: line('{"metric":"m",' + ",".join(['"k":1'] * 100_000) + "}"), ["malformed_json"]),
    ("an exponent", lambda: line('{"metric":"m","count":1e999999999999999999}'), ["out_of_range"]),
    ("no text", lambda: b"\xff\xfe" * 100_000, ["malformed_json"]),
    ("a list in itself, deep", lambda: [{**usage(1), "data": nested(900)}], ["limit_exceeded"]),
    ("half a character", lambda: [usage(1, "\ud800")], ["malformed_json"]),
    ("an id of one kilobyte", lambda: [usage(1, "x" * 1024)], ["too_long"]),
    ("ids of one hash", lambda: many(20_000, colliding), []),
    ("ids that look alike", lambda: many(5, lambda n: ["acme", "\u0430cme", "\u202eacme", "acme\u200b", "\u05e9"][n]), []),
]


def read(engine: Engine, log: Any) -> Applied:
    return engine.apply_ndjson(log) if isinstance(log, bytes) else engine.apply(log)


@pytest.mark.parametrize(("log", "codes"), [row[1:] for row in LOGS], ids=[row[0] for row in LOGS])
def test_a_log(log: Callable[[], Any], codes: list[str]) -> None:
    given = log()
    engine = Engine()
    begun, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    applied = read(engine, given)
    assert refused(applied) == codes
    assert applied.applied == (0 if codes else len(given))
    assert len(engine.clients()) == applied.applied
    assert time.monotonic() - begun < MOST_SECONDS
    # In kibibytes on Linux.
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10 < MOST_BYTES


MODELS: list[tuple[str, Any]] = [
    ("text, 10 000 deep", nested_group(10_000)),
    ("objects, 900 deep", {**MOOD, "groups": nested(900)}),
    ("a window of 10^9 days", {**MOOD, "signals": {"mood": {"kind": "usage_sum", "metric": "m", "days": 10**9}}}),
    ("a formula 10 000 deep", '{"name":"m","signals":{"s":{"kind":"formula","expr":' + '{"+":[1,' * 10_000 + "1" + "]}" * 10_000 + "}}}"),
    ("no text", "\x00" * 1000),
]


@pytest.mark.parametrize("model", [row[1] for row in MODELS], ids=[row[0] for row in MODELS])
def test_a_model(model: Any) -> None:
    begun = time.monotonic()
    with pytest.raises(HealthfoldError) as caught:
        Model(model)
    assert caught.value.code != "internal"
    assert time.monotonic() - begun < MOST_SECONDS


def test_questions_without_end() -> None:
    engine = Engine()
    engine.apply(usage(1))
    for question in (
        lambda: engine.revenue(("0001-01-01", "9999-12-31")),
        lambda: engine.revenue("99999"),
        lambda: engine.signal("acme", {"kind": "usage_sum", "metric": "reports", "days": 10**9}, as_of="2026-01-05"),
        lambda: engine.score("acme", Model.default(), as_of="9999-12-31"),
    ):
        with pytest.raises(HealthfoldError):
            question()


def test_a_snapshot_with_any_byte_changed() -> None:
    engine = Engine()
    engine.apply(usage(1))
    good = engine.snapshot()
    for place in range(len(good)):
        bad = bytearray(good)
        bad[place] ^= 0x55
        with pytest.raises(HealthfoldError) as caught:
            Engine.restore(bytes(bad))
        assert caught.value.code in ("corrupt_snapshot", "newer_snapshot")
        with pytest.raises(HealthfoldError):
            Engine.restore(good[:place])
    assert Engine.restore(good).fingerprint() == engine.fingerprint()


def test_nothing_leaks() -> None:
    """The same work over and over takes no more memory: results, errors, snapshots, models."""

    def work() -> None:
        engine = Engine()
        engine.apply(many(200, str))
        engine.apply_ndjson(b"nonsense\n" * 200)
        engine = Engine.restore(engine.snapshot())
        model = Model(MOOD)
        engine.scores(model, as_of="2026-01-06")
        engine.revenue("2026-01")
        for bad in (lambda: Model({}), lambda: Engine.restore(b"x"), lambda: engine.score("nobody", model, as_of="2026-01-06")):
            with pytest.raises(HealthfoldError):
                bad()

    for _ in range(100):
        work()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(300):
        work()
    # A leak of one such engine a turn would be some 30 MiB.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8 << 10


LEAVING = """
import threading
from healthfold import Engine, Model
line = b'{"id":"%d","source":"app","type":"usage.counted","subject":"c%d","time":"2026-01-05T10:00:00Z","data":{"metric":"m"}}\\n'
engine = Engine()
engine.apply_ndjson(b"".join(line % (n, n % 3000) for n in range(30_000)))
def work():
    while True:
        engine.scores(Model.default(), as_of="2026-01-06")
for _ in range(4):
    threading.Thread(target=work, daemon=True).start()
"""


def test_leaving_with_work_under_way() -> None:
    done = subprocess.run([sys.executable, "-c", LEAVING], timeout=120, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
