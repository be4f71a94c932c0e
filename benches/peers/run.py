"""Sets the contestants against each other: first all must agree, then they take turns, and a table says how long each took.

`cargo xtask bench --peers` calls it with the programs and Python packages in place. This process stays small: what a child
inherits from its parent counts as its peak memory.
"""

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

HERE = Path(__file__).parent
# Who all others are held against: name and source. The first contestant.
REFERENCE = ("healthfold, exact", "ndjson")
# Who is told to err.
MUST_BE_NOTICED = ("DuckDB", "parquet")
# How many new events there are where only what is fresh is asked; "as of" is 0 then.
FRESH = 1_000


def contestants(binary, threads, node):
    """Every contestant as (name, source, threads, instants, command); 0 instants: fresh answers after the last events."""
    python = [sys.executable]
    threaded = ["--threads", str(threads)]
    own = [binary, "healthfold", *threaded]
    fields = []
    for instants in (1, 12):
        asked = ["--instants", str(instants)]
        fields += [
            (*REFERENCE, threads, instants, [*own, *asked]),
            ("healthfold, upstream", "ndjson", threads, instants, [*own, "--dedupe", "upstream", *asked]),
        ]
        tables = [*own, "--source", "parquet", *asked]
        upstream = [*tables, "--dedupe", "upstream"]
        fields += [
            ("healthfold, exact", "parquet", threads, instants, tables),
            ("healthfold, upstream", "parquet", threads, instants, upstream),
            # What the peers do, too: of usage the days that the question reads and no more.
            ("healthfold, days asked", "parquet", threads, instants, [*upstream, "--days"]),
        ]
        for source in ("ndjson", "parquet"):
            for name, program in (("DuckDB", "duck.py"), ("Polars", "frames.py")):
                command = [*python, HERE / program, "--source", source, *threaded, *asked]
                fields.append((name, source, threads, instants, command))
        # What `exact` guarantees: an event that comes twice counts once. The tables have no ids.
        once = [*python, HERE / "duck.py", "--source", "ndjson", *threaded, *asked, "--once"]
        fields.append(("DuckDB, each once", "ndjson", threads, instants, once))
        for decoder in ("orjson", "json") if instants == 1 else ("orjson",):
            command = [*python, HERE / "fold.py", "--decoder", decoder, *asked]
            fields.append((f"Python, {decoder}", "ndjson", 1, instants, command))
        if node:
            fields.append(("Node", "ndjson", 1, instants, [node, HERE / "fold.mjs", *asked]))
    # Everything is resident: how long from the last events to fresh scores of their clients, and to a fresh month.
    fresh = ["--fresh", str(FRESH)]
    fields += [
        (*REFERENCE, threads, 0, [*own, *fresh]),
        ("healthfold, upstream", "ndjson", threads, 0, [*own, "--dedupe", "upstream", *fresh]),
        ("Python, orjson", "ndjson", 1, 0, [*python, HERE / "fold.py", *fresh]),
    ]
    if node:
        fields.append(("Node", "ndjson", 1, 0, [node, HERE / "fold.mjs", *fresh]))
    return fields


def run(command, data, *more):
    """Runs a contestant: what it says of itself, its whole time and its peak memory in MB."""
    # No compiled files are left in the sources, and every start is alike.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    begun = time.perf_counter()
    process = subprocess.Popen(
        [*map(str, command), "--data", str(data), *map(str, more)], stdout=subprocess.PIPE, env=environment
    )
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    whole = time.perf_counter() - begun
    if process.returncode:
        sys.exit(f"failed: {' '.join(map(str, command))}")
    return {**json.loads(said), "process": whole, "peak_mb": usage.ru_maxrss / 1024}


def agrees(reference, answers):
    check = subprocess.run([sys.executable, HERE / "check.py", reference, answers], stdout=sys.stderr)
    return check.returncode == 0


def agree(fields, data, planted, note):
    """All answer, and each answer is held against healthfold's. Returns who disagrees."""
    wrong = []
    with tempfile.TemporaryDirectory(dir=data) as folder:
        reference, answers = Path(folder) / "reference", Path(folder) / "answers"
        for name, source, _, instants, command in fields:
            is_reference = (name, source) == REFERENCE
            plant = ["--plant"] if name == planted else []
            run(command, data, "--answers", reference if is_reference else answers, *plant)
            if not is_reference and not agrees(reference, answers):
                wrong.append(f"{name} from {source}, {instants} instants")
            note(f"answered: {name}, {source}, {instants} instants")
            if (name, source) == MUST_BE_NOTICED and not wrong:
                # One that errs must be noticed, or agreement says nothing.
                run(command, data, "--answers", answers, "--plant")
                if agrees(reference, answers):
                    sys.exit(f"an error planted in {name} was not noticed")
                note(f"an error planted in {name} was noticed, as above")
        if not wrong:
            note("all agree")
    return wrong


def measure(fields, data, rounds, note):
    """Each takes its turn, round after round."""
    runs = [[] for _ in fields]
    for number in range(1, rounds + 1):
        for (_, _, _, _, command), of_one in zip(fields, runs):
            of_one.append(run(command, data))
        note(f"round {number} of {rounds} is over")
    rows = []
    for (name, source, threads, instants, _), of_one in zip(fields, runs):
        row = {"name": name, "version": of_one[0]["version"], "source": source, "threads": threads}
        row["instants"] = instants
        for key in ("seconds", "load", "ask", "process", "peak_mb"):
            values = [one[key] for one in of_one]
            row[key] = {"median": median(values), "least": min(values), "greatest": max(values)}
        rows.append(row)
    for row in rows:
        base = next(r for r in rows if (r["name"], r["source"]) == REFERENCE and r["instants"] == row["instants"])
        row["times_healthfold"] = row["seconds"]["median"] / base["seconds"]["median"]
    return rows


def print_table(rows, log, machine):
    print(f"\n{log['clients']:,} clients, {log['events']:,} events ({log['usage']:,} usage), {log['late']} % late; {machine}")
    head = f"{'':<24}{'version':<10}{'from':<9}{'threads':>7}{'as of':>6}"
    print(f"{head}{'seconds':>9}{'least':>8}{'most':>8}{'process':>9}{'peak MB':>9}{'x healthfold':>14}")
    for row in rows:
        seconds = row["seconds"]
        print(
            f"{row['name']:<24}{row['version']:<10}{row['source']:<9}{row['threads']:>7}{row['instants']:>6}"
            f"{seconds['median']:>9.4f}{seconds['least']:>8.4f}{seconds['greatest']:>8.4f}"
            f"{row['process']['median']:>9.3f}{row['peak_mb']['median']:>9.0f}{row['times_healthfold']:>14.2f}"
        )
    print("seconds: inside the process, medians of all rounds; x healthfold: against the exact one from NDJSON")


def machine():
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.machine()}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", type=Path, required=True, help="the program `peers`")
    parser.add_argument("--logs", type=Path, required=True, help="the folder that keeps the logs")
    parser.add_argument("--clients", type=int, required=True)
    parser.add_argument("--events", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--late", type=int, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--threads", type=int, choices=[1, 2], required=True)
    parser.add_argument("--plant", metavar="NAME", help="let this one err; the run must fail")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()

    def note(text):
        print(text, file=sys.stderr, flush=True)

    node = shutil.which("node")
    if not node:
        note("there is no node here, so Node is left out")
    log, data = the_log(args, note)
    fields = contestants(args.binary, args.threads, node)
    if args.plant and args.plant not in {name for name, *_ in fields}:
        sys.exit(f"there is no contestant {args.plant!r}: {', '.join(sorted({name for name, *_ in fields}))}")
    wrong = agree(fields, data, args.plant, note)
    if wrong:
        sys.exit(f"answers differ from those of {' from '.join(REFERENCE)}, nothing was timed: {'; '.join(wrong)}")
    rows = measure(fields, data, args.rounds, note)
    if args.json:
        print(json.dumps({"machine": machine(), "log": log, "rounds": args.rounds, "rows": rows}))
    else:
        print_table(rows, log, machine())


def the_log(args, note):
    """What the log holds, and its folder; made if it is not there."""
    size = ["--clients", args.clients, "--events", args.events, "--seed", args.seed, "--late", args.late]
    # What writes it is part of its name: another generator writes another log.
    makers = [HERE / name for name in ("log.rs", "story.rs", "duck.py", "prepare.py")]
    made_by = hashlib.sha256(b"".join(path.read_bytes() for path in makers)).hexdigest()[:8]
    data = args.logs / f"{args.clients}-{args.events}-{args.seed}-{args.late}-{made_by}"
    about = data / "log.json"
    if not about.exists():
        note("writing the log and its tables")
        data.mkdir(parents=True, exist_ok=True)
        command = [args.binary, "log", data / "events.ndjson", *size]
        said = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, check=True).stdout
        subprocess.run([sys.executable, HERE / "prepare.py", data], check=True)
        about.write_bytes(said)
    return json.loads(about.read_text()), data


main()
