"""What every result can do: read as attributes, as a dict, as JSON, on the screen."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

__all__ = ["Result"]


class Result:
    """A result: frozen, compared by value, picklable."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """As nested dicts and lists with the names of the wire; values stay what they are in Python."""
        return {name: plain(value) for name, value in _members(self)}

    def to_json(self) -> str:
        """As the JSON text of the core: decimals are text, instants RFC 3339 in UTC."""
        return json.dumps(wire(self), ensure_ascii=False, separators=(",", ":"))

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={_short(value)}" for name, value in _members(self))
        return f"{type(self).__name__}({inside})"

    def _repr_html_(self) -> str | None:
        from . import _html

        return _html.of(self)


def _members(result: Any) -> list[tuple[str, Any]]:
    # `from` is a word of Python, so its attribute is `from_`.
    names = [(field.name, field.name.rstrip("_")) for field in fields(result) if not field.name.startswith("_")]
    without = getattr(result, "_without", ())
    return [(name, getattr(result, attribute)) for attribute, name in names if name not in without]


def _is_list(value: Any) -> bool:
    # A table stands for its rows.
    return isinstance(value, (tuple, list)) or hasattr(value, "to_dicts")


def plain(value: Any) -> Any:
    """Results as dicts, tuples as lists, the rest as it is."""
    if isinstance(value, Result):
        return value.to_dict()
    if _is_list(value):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def wire(value: Any) -> Any:
    """What ``json.dumps`` writes as the core does."""
    if isinstance(value, Result):
        return {name: wire(item) for name, item in _members(value)}
    if _is_list(value):
        return [wire(item) for item in value]
    if isinstance(value, dict):
        return {key: wire(item) for key, item in value.items()}
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date):
        return value.isoformat()
    return value


def instant(value: datetime) -> str:
    """RFC 3339 in UTC, with as many digits of a second as it has."""
    text = value.astimezone(timezone.utc).replace(tzinfo=None).isoformat()
    return (text.rstrip("0") if "." in text else text) + "Z"


def _short(value: Any) -> str:
    if _is_list(value):
        shown = ", ".join(_short(item) for item in value[:3])
        more = f", ... {len(value)} in all" if len(value) > 3 else ("," if len(value) == 1 else "")
        return f"({shown}{more})"
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:297]}..."
