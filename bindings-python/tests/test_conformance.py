"""The shared cases, through the wheel: every one passes, and every answer is the one that Rust gives, number for number."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

import healthfold

CASES = sorted((ROOT / "conformance" / "cases").glob("*.json"))
# What `cargo xtask cases --answers` wrote: a line for each case.
ANSWERS = os.environ.get("HEALTHFOLD_RUST_ANSWERS")
DECODER = json.JSONDecoder()


def events_as_text(text: str) -> list[str]:
    """The events of a case as they stand in its file: a dict would lose duplicate keys and digits."""

    def skip(at: int) -> int:
        while text[at] in " \t\r\n,:":
            at += 1
        return at

    at = skip(text.index("{") + 1)
    while text[at] != "}":
        name, at = DECODER.raw_decode(text, at)
        at = skip(at)
        if name == "events":
            events, at = [], skip(at + 1)
            while text[at] != "]":
                _, end = DECODER.raw_decode(text, at)
                events.append(text[at:end].replace("\n", " ").replace("\r", " "))
                at = skip(end)
            return events
        _, at = DECODER.raw_decode(text, at)
        at = skip(at)
    raise AssertionError("a case without events")


def ask(engine: healthfold.Engine, call: str, args: dict[str, Any]) -> Any:
    """One question by its name, its answer as the JSON that the package writes."""
    args = dict(args)
    if call == "lint" and args.get("as_of") is None:
        model = healthfold.Model(args["model"])
        return [json.loads(finding.to_json()) for finding in model.lint()]
    # null stands for what was not said.
    answer = getattr(engine, call)(**{name: value for name, value in args.items() if value is not None})
    if isinstance(answer, tuple):
        return [json.loads(item.to_json()) for item in answer]
    return json.loads(answer.to_json())


def as_decimal(value: Any) -> Decimal | None:
    try:
        return Decimal(value) if isinstance(value, str) and value.strip() == value else None
    except InvalidOperation:
        return None


def differences(expected: Any, found: Any, tolerance: float, path: str) -> Iterator[str]:
    """What differs, by path. Members that are not named are free."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for name, member in expected.items():
            if name not in found:
                yield f"{path}.{name}: expected {member}, but it is not there"
            else:
                yield from differences(member, found[name], tolerance, f"{path}.{name}")
    elif isinstance(expected, list) and isinstance(found, list):
        if len(expected) != len(found):
            yield f"{path}: expected {len(expected)} rows, found {len(found)}"
            return
        for number, (row, other) in enumerate(pairs(expected, found)):
            yield from differences(row, other, tolerance, f"{path}[{number}]")
    elif not agree(expected, found, tolerance):
        yield f"{path}: expected {expected!r}, found {found!r}"


def pairs(rows: list[Any], found: list[Any]) -> list[tuple[Any, Any]]:
    """Each expected row with its own: by name where every expected row has one, else by place."""
    for name in ("client", "key", "cohort"):
        if rows and all(isinstance(row, dict) and name in row for row in rows):
            left = list(found)
            matched = []
            for row in rows:
                own = next((other for other in left if isinstance(other, dict) and other.get(name) == row[name]), None)
                if own is not None:
                    left.remove(own)
                matched.append((row, own))
            return matched
    return list(zip(rows, found))


def agree(expected: Any, found: Any, tolerance: float) -> bool:
    if isinstance(expected, bool) or expected is None or isinstance(found, bool):
        return expected is found or (expected == found and type(expected) is type(found))
    if isinstance(expected, (int, float)) and isinstance(found, (int, float)):
        return abs(found - expected) <= tolerance * max(1.0, abs(expected))
    if isinstance(expected, str) and isinstance(found, str):
        a, b = as_decimal(expected), as_decimal(found)
        return expected == found or (a is not None and b is not None and a == b)
    return False


def engine_of(case: dict[str, Any]) -> healthfold.Engine:
    return healthfold.Engine(timezone=case["engine"]["timezone"], dedupe=case["engine"]["dedupe"])


def test_there_are_cases() -> None:
    assert len(CASES) > 200


def rust_answers() -> dict[str, Any]:
    if not ANSWERS:
        return {}
    with open(ANSWERS, encoding="utf-8") as lines:
        return {answer["file"]: answer for answer in map(json.loads, lines)}


RUST = rust_answers()


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    case = json.loads(text)
    engine = engine_of(case)
    events = events_as_text(text)
    applied = engine.apply_ndjson("\n".join(events).encode())
    faults: list[str] = []
    if case["applied"] is not None:
        faults += differences(case["applied"], json.loads(applied.to_json()), case["tolerance"], "applied")
    if case.get("seal"):
        engine.seal(case["seal"])
    answers: list[Any] = []
    for number, question in enumerate(case["ask"]):
        where = f"ask[{number}] {question['call']}"
        try:
            answer = ask(engine, question["call"], question["args"])
        except healthfold.HealthfoldError as error:
            answers.append({"error": error.code})
            if question.get("error") != error.code:
                faults.append(f"{where}: {error.code}: {error}")
            continue
        answers.append({"answer": answer})
        if "error" in question:
            faults.append(f"{where}: expected error {question['error']}, found {answer}")
        else:
            faults += differences(question["expect"], answer, case["tolerance"], where)
    assert not faults, case["why"] + "\n" + "\n".join(faults)
    rust = RUST.get(path.stem)
    if rust is not None:
        assert engine.fingerprint() == rust["fingerprint"]
        # The very bytes of Rust, and so of Node: what one writes the others open.
        snapshot = bytes.fromhex(rust["snapshot"])
        assert engine.snapshot() == snapshot
        assert healthfold.Engine.restore(snapshot).fingerprint() == rust["fingerprint"]
        assert json.loads(applied.to_json()) == rust["applied"]
        assert answers == rust["answers"], "every number is bit for bit that of Rust"


@pytest.mark.skipif(not ANSWERS, reason="HEALTHFOLD_RUST_ANSWERS names no file; `cargo xtask test` makes it")
def test_rust_answered_every_case() -> None:
    assert set(RUST) == {path.stem for path in CASES}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_events_as_dicts_are_the_same_events(path: Path) -> None:
    """A dict says what its JSON says, but for duplicate keys, which a dict cannot have."""
    text = path.read_text(encoding="utf-8")
    case = json.loads(text)
    as_text, as_dicts = engine_of(case), engine_of(case)
    texts = events_as_text(text)
    doubled: list[int] = []

    def once(number: int) -> Any:
        def hook(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
            if len(dict(pairs)) < len(pairs):
                doubled.append(number)
            return dict(pairs)

        return hook

    dicts = [
        json.loads(event, parse_float=Decimal, object_pairs_hook=once(number)) for number, event in enumerate(texts)
    ]
    if doubled:
        pytest.skip("an object has a name twice")
    first = as_text.apply_ndjson("\n".join(texts))
    second = as_dicts.apply(dicts)
    assert as_text.fingerprint() == as_dicts.fingerprint()
    assert [(r.index, r.code, r.field) for r in first.rejected] == [(r.index, r.code, r.field) for r in second.rejected]
    assert (first.applied, first.duplicates, first.conflicts) == (second.applied, second.duplicates, second.conflicts)
