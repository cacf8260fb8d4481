"""What FastAPI does not say by itself in the phones' OpenAPI document: how to sign in, and where a key is required. Pure."""

from collections.abc import Iterator
from typing import Any

from app.http.who import CITIZEN_COOKIE, STAFF_COOKIE

_SIGN_IN = {
    "token": {"type": "http", "scheme": "bearer", "description": "登录后取得的令牌"},
    "citizen": {"type": "apiKey", "in": "cookie", "name": f"__Host-{CITIZEN_COOKIE}"},
    "cadre": {"type": "apiKey", "in": "cookie", "name": f"__Host-{STAFF_COOKIE}"},
}
_KEY = "Idempotency-Key"
_KEY_REQUIRED = {
    "required": True,
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": 100,
        "pattern": "^[\\x21-\\x7e]{1,100}$",
    },
}


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """Changes the document given. An operation that can answer "sign in" is one to sign in for."""
    document["components"]["securitySchemes"] = _SIGN_IN
    for method, operation in _operations(document):
        if _asks_to_sign_in(operation):
            operation["security"] = [{name: []} for name in _SIGN_IN]
        if "parameters" in operation:
            operation["parameters"] = list(_parameters(operation["parameters"], method))
    return document


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in document["paths"].values():
        yield from path.items()


def _asks_to_sign_in(operation: dict[str, Any]) -> bool:
    told = operation["responses"].get("401", {}).get("content", {})
    return any("sign-in-required" in kind["examples"] for kind in told.values())


def _parameters(given: list[dict[str, Any]], method: str) -> Iterator[dict[str, Any]]:
    """The key is read wherever somebody is signed in, and means something only where something is posted."""
    for parameter in given:
        if parameter["name"] != _KEY:
            yield parameter
        elif method == "post":
            yield parameter | _KEY_REQUIRED
