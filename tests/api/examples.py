"""A body made of the examples that an OpenAPI document gives for its fields."""

from collections.abc import Mapping
from typing import Any

_DEEPEST = 6


def example(schema: Mapping[str, Any], document: Mapping[str, Any], depth: int = 0) -> Any:
    """A value of the schema put together from the examples of its fields."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return example(document["components"]["schemas"][name], document, depth + 1)
    if schema.get("examples"):
        return schema["examples"][0]
    for choice in ("anyOf", "allOf"):
        if choice in schema:
            return example(schema[choice][0], document, depth)
    return _made_up(schema, document, depth)


def _made_up(schema: Mapping[str, Any], document: Mapping[str, Any], depth: int) -> Any:
    for given in ("const", "default"):
        if given in schema:
            return schema[given]
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "array":
        return [] if depth > _DEEPEST else [example(schema.get("items", {}), document, depth + 1)]
    if schema.get("type") == "object":
        return {
            name: example(field, document, depth + 1)
            for name, field in schema.get("properties", {}).items()
        }
    return {"integer": 1, "number": 1, "boolean": False}.get(schema.get("type", ""), "…")
