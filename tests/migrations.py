"""A migration as a module, for tests of what it does with values that were stored before."""

import importlib.util
from pathlib import Path
from typing import Any

_VERSIONS = Path(__file__).parents[1] / "alembic" / "versions"


def migration(name: str) -> Any:
    """The migration in the file of this name, without `.py`."""
    spec = importlib.util.spec_from_file_location(name, _VERSIONS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
