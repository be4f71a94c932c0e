"""How far reading is: a bar by tqdm where it is installed, plain text where it is not, or a callable."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Any

Reporter = Callable[[int, int | None], object]


def reporter(asked: bool | Reporter, unit: str) -> Reporter | None:
    """What is called with (done, total), both in bytes ("B"), in rows or in events."""
    if asked is True:
        return _Bar(unit)
    if asked is False or asked is None:
        return None
    if not callable(asked):
        raise TypeError("`progress` must be True, False or a callable of (done, total)")
    return asked


class _Bar:
    """Made at the first call, closed when all is read."""

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._bar: Any = None
        self._shown = -1

    def __call__(self, done: int, total: int | None) -> None:
        try:
            # In a notebook without widgets it warns, and shows its bar as text, which is what is wanted there.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                from tqdm.auto import tqdm  # type: ignore[import-untyped, unused-ignore]
        except ImportError:
            self._text(done, total)
            return
        if self._bar is None:
            self._bar = tqdm(total=total, unit=self._unit, unit_scale=True, desc="healthfold")
        self._bar.update(done - self._bar.n)
        if total is not None and done >= total:
            self._bar.close()

    def _text(self, done: int, total: int | None) -> None:
        step = done * 10 // total if total else done // 100_000_000
        if step != self._shown:
            self._shown = step
            so_far = f"{done / 1e6:.0f} MB" if self._unit == "B" else f"{done:,}{self._unit}"
            share = f"{done * 100 // total} %" if total else so_far
            print(f"healthfold: {share}", file=sys.stderr)
