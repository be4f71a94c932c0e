"""Results row by row, and as a table for polars, pandas, pyarrow and duckdb."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, overload

from ._base import Result, plain

if TYPE_CHECKING:
    from ._healthfold import _Rows

__all__ = ["Table", "TableResult"]

T = TypeVar("T")


class Table(Generic[T]):
    """Rows of one class, in the order of the answer: what a tuple can, and a table by the Arrow PyCapsule interface.

    A row is made when it is looked at. It is no `collections.abc.Sequence`, which polars would take row by row.
    """

    __slots__ = ("_rows",)
    _rows: _Rows | tuple[T, ...]

    def __init__(self, rows: _Rows | tuple[T, ...]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Table[T]: ...
    def __getitem__(self, index: int | slice) -> T | Table[T]:
        if isinstance(index, slice):
            return Table(tuple(self[place] for place in range(*index.indices(len(self)))))
        place = index.__index__()
        place = place + len(self) if place < 0 else place
        if not 0 <= place < len(self):
            raise IndexError(f"row {index} of {len(self)}")
        row: T = self._rows[place]
        return row

    def __iter__(self) -> Iterator[T]:
        for place in range(len(self)):
            yield self[place]

    def __reversed__(self) -> Iterator[T]:
        for place in range(len(self) - 1, -1, -1):
            yield self[place]

    def __contains__(self, row: object) -> bool:
        return any(row == other for other in self)

    def to_dicts(self) -> list[dict[str, Any]]:
        """The rows as dicts."""
        return [plain(row) for row in self]

    def to_json(self) -> str:
        """The rows as the JSON text of the core."""
        import json

        from ._base import wire

        if isinstance(self._rows, tuple):
            return json.dumps(wire(self._rows), ensure_ascii=False, separators=(",", ":"))
        return self._rows.to_json()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The rows as a table for whatever speaks Arrow: polars, pandas, pyarrow, duckdb. Nothing is copied on the way."""
        if isinstance(self._rows, tuple):
            raise TypeError("rows that were cut out or came from a pickle are no table any more; ask again, or use `to_dicts`")
        return self._rows.__arrow_c_stream__(requested_schema)

    def to_polars(self) -> Any:
        """The rows as a frame of polars."""
        return to_polars(self)

    def to_pandas(self) -> Any:
        """The rows as a frame of pandas."""
        return to_pandas(self)

    def _costs(self, place: int) -> list[str]:
        """What keeps the score of a row from 100, while the core holds the rows."""
        return [] if isinstance(self._rows, tuple) else self._rows.costs(place)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Table):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __reduce__(self) -> tuple[Any, ...]:
        return Table, (tuple(self),)

    def __repr__(self) -> str:
        shown = "".join(f"\n  {row!r}," for row in self[:5])
        more = f"\n  ... {len(self)} rows in all" if len(self) > 5 else ""
        return f"Table([{shown}{more}\n])" if len(self) else "Table([])"

    def _repr_html_(self) -> str | None:
        from . import _html

        return _html.table(self)


class TableResult(Result):
    """A result that is also a table."""

    __slots__ = ()
    _table: ClassVar[str]

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The rows as a table for whatever speaks Arrow: polars, pandas, pyarrow, duckdb."""
        rows = getattr(self, self._table)
        if rows is None:
            raise ValueError("the columns of a pickled result are gone as a table; ask again")
        stream: object = rows.__arrow_c_stream__(requested_schema)
        return stream

    def to_polars(self) -> Any:
        """The rows as a frame of polars."""
        return to_polars(self)

    def to_pandas(self) -> Any:
        """The rows as a frame of pandas."""
        return to_pandas(self)


def to_polars(table: Any) -> Any:
    """Anything that speaks Arrow as a frame of polars."""
    try:
        import polars
    except ImportError as error:
        raise ImportError("`to_polars` needs polars: pip install polars") from error
    try:
        return polars.DataFrame(table)
    except TypeError:
        return polars.DataFrame(table.to_dicts())


def to_pandas(table: Any) -> Any:
    """Anything that speaks Arrow as a frame of pandas, which reads Arrow by pyarrow."""
    try:
        import pandas  # type: ignore[import-untyped, unused-ignore]
        import pyarrow  # type: ignore[import-untyped, unused-ignore]
    except ImportError as error:
        raise ImportError("`to_pandas` needs pandas and pyarrow: pip install pandas pyarrow") from error
    try:
        return pyarrow.table(table).to_pandas()
    except TypeError:
        return pandas.DataFrame(table.to_dicts())
