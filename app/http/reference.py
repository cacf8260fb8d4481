"""The page at /docs: an OpenAPI document made readable on the server, so that it needs no script and no foreign host.

Beside it stands the document itself, at /openapi.json.
"""

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from fastapi import FastAPI, Request, Response

from app.http.openapi import MadeOnce, Prepared, prepared_document, respond_document
from app.http.pages import page

_DEEPEST = 6


def install(app: FastAPI) -> None:
    """Adds `/docs` and `/openapi.json`, which are no operations of the interface itself. Each is made once."""

    def written() -> Prepared:
        shown = page(app.title, "".join(_sections(app.openapi())))
        return Prepared.of(bytes(shown.body), shown.headers["content-type"])

    document, reference = prepared_document(app.openapi), MadeOnce(written)

    async def send_document(request: Request) -> Response:
        return await respond_document(request, document)

    async def send_reference(request: Request) -> Response:
        return (await reference.get()).respond(request)

    app.add_route("/openapi.json", send_document, include_in_schema=False)
    app.add_route("/docs", send_reference, include_in_schema=False)


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


def _sections(document: Mapping[str, Any]) -> Iterator[str]:
    yield f"<p>{escape(document['info'].get('description', ''))}</p>"
    yield '<p><a href="openapi.json">openapi.json</a></p>'
    tagged: dict[str, list[str]] = {}
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            shown = _operation(verb, path, operation, document)
            tagged.setdefault(operation.get("tags", ["其他"])[0], []).append(shown)
    for tag, operations in tagged.items():
        yield f"<h2>{escape(tag)}</h2>{''.join(operations)}"


def _operation(
    verb: str, path: str, operation: Mapping[str, Any], document: Mapping[str, Any]
) -> str:
    return (
        f'<details><summary><span class="verb">{verb.upper()}</span><code>{escape(path)}</code> '
        f"{escape(operation.get('summary', ''))}</summary>"
        f"<p>{escape(operation.get('description', ''))}</p>"
        f"{_parameters(operation)}{_body(operation, document)}{_answers(operation, document)}</details>"
    )


def _parameters(operation: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(one['name'])}</code></td><td>{_PLACES.get(one['in'], one['in'])}</td>"
        f"<td>{'必填' if one.get('required') else ''}</td><td>{escape(one.get('description', ''))}</td></tr>"
        for one in operation.get("parameters", [])
    )
    return rows and f"<table>{rows}</table>"


def _body(operation: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    content = operation.get("requestBody", {}).get("content", {})
    return "".join(
        f"<p>请求 <code>{escape(kind)}</code></p>{_json(example(told['schema'], document))}"
        for kind, told in content.items()
    )


def _answers(operation: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    rows = []
    for status, answer in operation["responses"].items():
        schema = answer.get("content", {}).get("application/json", {}).get("schema")
        shown = _json(example(schema, document)) if schema and status < "300" else ""
        rows.append(
            f"<tr><td><code>{escape(status)}</code></td><td>{escape(answer['description'])}{shown}</td></tr>"
        )
    return f"<table>{''.join(rows)}</table>"


def _json(value: Any) -> str:
    return f"<pre>{escape(json.dumps(value, ensure_ascii=False, indent=2))}</pre>"


_PLACES = {"path": "路径", "query": "查询", "header": "请求头", "cookie": "Cookie"}
