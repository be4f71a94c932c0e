"""Many threads, Ctrl-C, forks, progress, and memory."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import usage

from healthfold import Engine, HealthfoldError, Model


def lines(n: int, clients: int = 100) -> bytes:
    text = '{{"id":"{0}","source":"app","type":"usage.counted","subject":"c{1}","time":"2026-01-{2:02}T10:00:00Z","data":{{"metric":"m","user":"u{3}"}}}}'
    return "\n".join(text.format(k, k % clients, k % 28 + 1, k % 50) for k in range(n)).encode()


def test_eight_readers_and_a_writer() -> None:
    engine = Engine()
    engine.apply(usage(0, "first"))
    done = threading.Event()
    model = Model.default()

    def read() -> int:
        asked = 0
        while not done.is_set():
            assert engine.score("first", model, as_of="2026-01-31").client == "first"
            assert len(engine.scores(model, as_of="2026-01-31")) >= 1
            asked += 1
        return asked

    with ThreadPoolExecutor(8) as pool:
        readers = [pool.submit(read) for _ in range(8)]
        for batch in range(5):
            engine.apply_ndjson(lines(2_000, clients=20))
        done.set()
        assert all(reader.result() > 0 for reader in readers)
    assert len(engine.clients()) == 21


def test_two_engines_merge_with_each_other() -> None:
    for _ in range(20):
        one, other = Engine(), Engine()
        one.apply({"id": "1", "source": "crm", "type": "client.set", "subject": "a", "time": "2026-01-01T00:00:00Z", "data": {"owner": "x"}})
        other.apply({"id": "2", "source": "crm", "type": "client.set", "subject": "b", "time": "2026-01-01T00:00:00Z", "data": {"owner": "y"}})
        with ThreadPoolExecutor(2) as pool:
            for merged in [pool.submit(one.merge, other), pool.submit(other.merge, one)]:
                merged.result(timeout=20)
        one.merge(other)
        assert one.clients() == ("a", "b")


INTERRUPTED = """
import sys, time, threading, os, signal
from healthfold import Engine, Model
engine = Engine()
line = b'{"id":"%d","source":"app","type":"usage.counted","subject":"c%d","time":"2026-01-05T10:00:00Z","data":{"metric":"m","user":"u%d"}}\\n'
small = b"".join(line % (k, k % 3000, k % 7) for k in range(30_000))
engine.apply_ndjson(small)
class Endless:
    def __init__(self): self.n = 10**9
    def read(self, size):
        self.n += 1
        return b"".join(line % (self.n * 3000 + k, k % 1000, k) for k in range(2000))
model = Model.default()
def endless():
    while True:
        engine.book_history(model, start="2020-01-01", end="2026-12-31")
def endless_files():
    import io
    import polars as pl
    n = 3_000_000
    file = io.BytesIO()
    place = pl.int_range(n, eager=True)
    pl.DataFrame({"id": place.cast(pl.String), "subject": (place % 5000).cast(pl.String), "time": (1_767_225_600_000_000 + place).cast(pl.Datetime("us", "UTC")), "metric": ["m"] * n}).write_parquet(file)
    threading.Thread(target=interrupt, daemon=True).start()
    kinds = [{"type": "usage.counted", "source": "app", "constants": {"metric": metric}} for metric in ("m", "n")]
    while True:
        if sys.argv[1] == "parquet":
            engine.apply_parquet("usage.counted", file.getvalue(), source="app")
        else:
            engine.apply_parquet_each(file.getvalue(), kinds)
def waiting():
    threading.Thread(target=engine.apply_ndjson, args=(Endless(),), daemon=True).start()
    while True:
        engine.signal("c1", {"kind": "usage_sum", "metric": "m", "days": 7}, as_of="2026-01-05")
        engine.apply([])
calls = {"apply": lambda: engine.apply_ndjson(Endless()), "ask": endless, "parquet": endless_files, "parquet each": endless_files, "wait": waiting}
sent = 0.0
def interrupt():
    global sent
    time.sleep(1.0)
    sent = time.monotonic()
    os.kill(os.getpid(), signal.SIGINT)
if not sys.argv[1].startswith("parquet"):
    threading.Thread(target=interrupt, daemon=True).start()
try:
    calls[sys.argv[1]]()
except KeyboardInterrupt:
    print(time.monotonic() - sent)
    sys.stdout.flush()
    os._exit(0)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
@pytest.mark.parametrize("call", ["apply", "ask", "parquet", "parquet each", "wait"])
def test_ctrl_c_is_heard(call: str) -> None:
    run = subprocess.run([sys.executable, "-c", INTERRUPTED, call], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    assert float(run.stdout) < 0.5, run.stdout


LEFT = """
import os, signal, sys, threading, time
import polars as pl
from healthfold import Engine
ROWS = 300_000
def table(first):
    place = pl.int_range(first, first + ROWS, eager=True)
    time = (1_767_225_600_000_000 + place % ROWS).cast(pl.Datetime("us", "UTC"))
    return pl.DataFrame({"id": place.cast(pl.String), "subject": (place // 5).cast(pl.String), "time": time, "metric": ["m"] * ROWS})
def book(first):
    engine = Engine()
    engine.apply_table("usage.counted", table(first), source="app")
    return engine
engine, other = book(0), book(ROWS)
def lines():
    line = '{"id":"l%d","source":"app","type":"usage.counted","subject":"c%d","time":"2026-01-05T10:00:00Z","data":{"metric":"m"}}'
    return "\\n".join(line % (k, k % 1000) for k in range(100_000)).encode()
calls = {
    "merge": lambda engine: engine.merge(other),
    "seal": lambda engine: engine.seal("2026-03-01T00:00:00Z"),
    "watch": lambda engine: engine.watch("default", as_of="2026-01-05"),
    "strict": lambda engine, text=lines(): engine.apply_ndjson(text, strict=True),
    "strict table": lambda engine: engine.apply_table("usage.counted", table(ROWS).head(60_000), source="app", strict=True),
}
call = calls[sys.argv[1]]
before, behind = engine.fingerprint(), engine.copy()
call(behind)
sent = 0.0
def interrupt():
    global sent
    time.sleep(0.02)
    sent = time.monotonic()
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt, daemon=True).start()
try:
    call(engine)
    time.sleep(10)
except KeyboardInterrupt:
    took = time.monotonic() - sent
# It waits for what was begun.
now = engine.fingerprint()
print(took, "done" if now == behind.fingerprint() else "undone" if now == before else "half")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
@pytest.mark.parametrize("call", ["merge", "seal", "watch", "strict", "strict table"])
def test_a_change_that_is_left_is_whole_or_not_at_all(call: str) -> None:
    run = subprocess.run([sys.executable, "-c", LEFT, call], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    took, became = run.stdout.split()
    assert float(took) < 0.5, run.stdout
    # A merge copies the other engine before it begins, and a strict batch is read before.
    assert became == "done" or (became == "undone" and call not in ("seal", "watch"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_goes_on() -> None:
    engine = Engine()
    engine.apply_ndjson(lines(1_000))
    engine.scores("default", as_of="2026-01-31")
    child = os.fork()
    if child == 0:
        # Whatever happens, this process ends here.
        try:
            engine.apply(usage(1, "new"))
            ok = len(engine.scores("default", as_of="2026-01-31")) == 101
            os._exit(0 if ok else 1)
        except BaseException:
            os._exit(2)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert len(engine.clients()) == 100


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_in_the_middle_of_a_change_is_refused() -> None:
    engine = Engine()
    children: list[int] = []

    class Forking:
        """A file whose reading forks, while the engine takes in what it read before."""

        def __init__(self) -> None:
            self.pieces = [json.dumps(usage(1)).encode() + b"\n", b""]

        def read(self, size: int) -> bytes:
            piece = self.pieces.pop(0)
            if not piece:
                forked = threading.Thread(target=self.fork)
                forked.start()
                forked.join()
            return piece

        def fork(self) -> None:
            # In another thread than the one that changes the engine.
            child = os.fork()
            if child == 0:
                try:
                    engine.clients()
                    os._exit(1)
                except HealthfoldError as error:
                    os._exit(0 if error.code == "forked" else 2)
                except BaseException:
                    os._exit(3)
            children.append(child)

    signal.alarm(30)
    try:
        engine.apply_ndjson(Forking())  # type: ignore[arg-type]
    finally:
        signal.alarm(0)
    _, status = os.waitpid(children[0], 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert engine.clients() == ("acme",)


def test_progress_is_told() -> None:
    told: list[tuple[int, int | None]] = []
    text = lines(20_000)
    Engine().apply_ndjson(text, progress=lambda done, total: told.append((done, total)))
    assert len(told) > 3 and told[-1] == (len(text), len(text))
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_a_bar_is_shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    Engine().apply_ndjson(lines(100), progress=True)
    assert "healthfold" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    Engine().apply_ndjson(lines(100), progress=True)
    assert "healthfold: 100 %" in capsys.readouterr().err


def test_a_progress_that_raises_ends_the_call() -> None:
    engine = Engine()

    def stop(done: int, total: int | None) -> None:
        if done > 300_000:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        engine.apply_ndjson(lines(50_000), progress=stop)
    # What was read before is in, and reading it again is harmless.
    assert engine.apply_ndjson(lines(50_000)).duplicates > 0


def test_a_million_calls_do_not_grow_memory() -> None:
    import resource

    engine = Engine()
    engine.apply([usage(1), usage(2)])
    model = Model.default()
    spec = {"kind": "usage_sum", "metric": "reports", "days": 7}

    def rounds(n: int) -> None:
        for k in range(n):
            engine.signal("acme", spec, as_of="2026-01-05")
            if k % 10 == 0:
                engine.score("acme", model, as_of="2026-01-05")
                engine.apply(usage(1))
            if k % 50 == 0:
                engine.scores(model, as_of="2026-01-05")
                try:
                    engine.signal("nobody", spec, as_of="2026-01-05")
                except HealthfoldError:
                    pass

    # A million with HEALTHFOLD_TEST_SCALE=10.
    n = 100_000 * int(os.environ.get("HEALTHFOLD_TEST_SCALE", "1"))
    rounds(n // 10)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rounds(n)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(f"measured: {n} rounds of calls grew memory by {grown} KiB")
    assert grown < 4_000, f"{grown} KiB more after {n} calls"


def test_calls_are_quick() -> None:
    """Not a benchmark: only that a call does not cost a thread or a copy of the engine."""
    engine = Engine()
    engine.apply_ndjson(lines(50_000, clients=1_000))
    spec = {"kind": "active_users", "days": 7}
    engine.signal("c1", spec, as_of="2026-01-31")
    begun = time.perf_counter()
    for _ in range(2_000):
        engine.signal("c1", spec, as_of="2026-01-31")
    assert (time.perf_counter() - begun) / 2_000 < 0.001
