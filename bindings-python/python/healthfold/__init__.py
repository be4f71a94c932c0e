"""Client health from events, for people who have to explain it.

    from healthfold import Engine
    engine = Engine()
    engine.apply_ndjson("events.ndjson")
    engine.scores("default", as_of="2026-03-31")
"""

from __future__ import annotations

from ._healthfold import Engine, Model, Watch, __version__, event_schema, model_schema
from ._results import *  # noqa: F403
from ._results import __all__ as _results
from ._table import Table
from .errors import EventError, HealthfoldError, InternalError, ModelError, QueryError, StoreError, TableError

__all__ = [
    "Engine",
    "EventError",
    "HealthfoldError",
    "InternalError",
    "Model",
    "ModelError",
    "QueryError",
    "StoreError",
    "Table",
    "TableError",
    "Watch",
    "__version__",
    "event_schema",
    "model_schema",
]
__all__ += _results
