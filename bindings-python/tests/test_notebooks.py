"""The example notebooks run from top to bottom."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from conftest import ROOT
from nbclient import NotebookClient

NOTEBOOKS = sorted((ROOT / "examples" / "notebooks").glob("*.ipynb"))


def test_there_are_notebooks() -> None:
    assert len(NOTEBOOKS) == 2


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEALTHFOLD_TEST_DATA", raising=False)
    run(path)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif("HEALTHFOLD_TEST_DATA" not in os.environ, reason="HEALTHFOLD_TEST_DATA names no data")
def test_revenue_of_real_invoice_lines() -> None:
    notebook = run(ROOT / "examples" / "notebooks" / "revenue-that-closes.ipynb")
    assert "applied=4740" in str(notebook.cells[2].outputs), "the real lines were taken"


def run(path: Path) -> Any:
    notebook: Any = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    assert path.stat().st_size < 200_000, "outputs are kept small"
    return notebook
