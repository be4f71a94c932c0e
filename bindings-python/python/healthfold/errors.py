"""What can go wrong: a class for the program, a stable ``code`` for its branches, a sentence for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._results import Issue, TableIssue

__all__ = [
    "EventError",
    "HealthfoldError",
    "InternalError",
    "ModelError",
    "QueryError",
    "StoreError",
    "TableError",
]


class HealthfoldError(Exception):
    """Every error of this library."""

    code: str
    """The stable slug, the same in Rust, Python and Node; never renamed."""
    field: str | None
    """The field, setting or argument that is meant, where one is."""
    details: dict[str, Any]
    """What the message is made of, by name: such as ``client``, ``into``, ``before``, ``found``, ``expected``."""

    def __init__(
        self,
        message: str,
        *,
        code: str = "internal",
        field: str | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.field = field
        self.details = details or {}

    def _more(self) -> dict[str, Any]:
        return {"code": self.code, "field": self.field, "details": self.details}

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), str(self), self._more())


class EventError(HealthfoldError, ValueError):
    """An event that was not taken, where a bad event stops the call: with ``strict=True``."""

    index: int | None
    """Its number in the batch, from 0."""
    line: int | None
    """Its line, from 1; None for events that did not come as text."""
    offset: int | None
    """The offset of its first byte; None for events that did not come as text."""

    def __init__(
        self,
        message: str,
        *,
        code: str,
        field: str | None = None,
        index: int | None = None,
        line: int | None = None,
        offset: int | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message, code=code, field=field, details=details)
        self.index, self.line, self.offset = index, line, offset

    def _more(self) -> dict[str, Any]:
        return {**super()._more(), "index": self.index, "line": self.line, "offset": self.offset}


class TableError(EventError):
    """A table that makes no events: what is wrong with its columns, all at once, or that it cannot be read."""

    issues: tuple[TableIssue, ...]
    """What is wrong with the columns: code, field and message of each."""

    def __init__(self, message: str, *, code: str, issues: tuple[TableIssue, ...] = (), **more: Any) -> None:
        super().__init__(message, code=code, **more)
        self.issues = issues

    def _more(self) -> dict[str, Any]:
        return {**super()._more(), "issues": self.issues}


class ModelError(HealthfoldError, ValueError):
    """A model, signal or scorecard with faults: all of them at once."""

    issues: tuple[Issue, ...]
    """The faults, each with its path, in the order of the document."""

    def __init__(
        self,
        message: str,
        *,
        code: str = "invalid_model",
        field: str | None = None,
        issues: tuple[Issue, ...] = (),
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message, code=code, field=field, details=details)
        self.issues = issues

    def _more(self) -> dict[str, Any]:
        return {**super()._more(), "issues": self.issues}


class QueryError(HealthfoldError, ValueError):
    """A question that has no answer, or an argument that is not what it may be."""


class StoreError(HealthfoldError):
    """Engines that do not merge, a seal that cannot be, bytes that are no snapshot."""


class InternalError(HealthfoldError):
    """A fault of this library. The interpreter goes on; please report it."""


def _again(kind: type[HealthfoldError], message: str, more: dict[str, Any]) -> HealthfoldError:
    return kind(message, **more)
