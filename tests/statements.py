"""What the statements of the code change and delete, read from their text: for comparing with what the database grants."""

import importlib
import pkgutil
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from sqlalchemy import TextClause

_PACKAGES: Final = ("app", "workers", "sms", "mobile_api")
# What works as the owner of the tables.
_AS_OWNER: Final = frozenset({"app.cases.actions.erasing"})
_UPDATE: Final = re.compile(r"\bUPDATE\s+([a-z_.]+)(?:\s+(?!SET)\w+)?\s+SET\s")
_UPSERT: Final = re.compile(r"INSERT INTO\s+([a-z_.]+).*?DO UPDATE SET\s", re.DOTALL)
_DELETE: Final = re.compile(r"DELETE FROM\s+([a-z_.]+)")
_ENDS: Final = re.compile(r"[()]|\b(?:FROM|WHERE|RETURNING)\b")


def changed_columns() -> dict[str, set[str]]:
    """By table, the columns that some statement sets."""
    found: dict[str, set[str]] = defaultdict(set)
    for query in _statements():
        for pattern in (_UPDATE, _UPSERT):
            for match in pattern.finditer(query):
                found[match[1]] |= _set_in(query[match.end() :])
    return found


def deleted_from() -> set[str]:
    return {match[1] for query in _statements() for match in _DELETE.finditer(query)}


def _statements() -> Iterator[str]:
    for package in _PACKAGES:
        top = importlib.import_module(package)
        for found in pkgutil.walk_packages(top.__path__, f"{package}."):
            if found.name not in _AS_OWNER and not found.name.endswith("__main__"):
                module = importlib.import_module(found.name)
                for value in vars(module).values():
                    for one in value if isinstance(value, list | tuple) else [value]:
                        if isinstance(one, TextClause):
                            yield re.sub(r"--[^\n]*", "", one.text)


def _set_in(rest: str) -> set[str]:
    """The columns on the left of each `=` of a SET, up to where it ends."""
    depth, end = 0, len(rest)
    for match in _ENDS.finditer(rest):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if depth < 0 or (depth == 0 and match[0] not in "()"):
            end = match.start()
            break
    return {part.partition("=")[0].strip().strip('"') for part in _parts(rest[:end]) if "=" in part}


def _parts(listed: str) -> list[str]:
    """Split at the commas outside brackets."""
    parts, depth = [""], 0
    for letter in listed:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts
