"""The one renderer of problems (RFC 9457), and what each kind of failure is called. Echoes nothing that was sent."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import asyncpg
import msgspec
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from app import errors, keys
from app.clock import in_words
from app.errors import Problem
from app.http import refusals
from app.http.pages import page

MEDIA_TYPE = "application/problem+json"
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# The database is away, busy or gave up waiting: the same request may be sent again.
_TRY_AGAIN = (
    asyncpg.exceptions.QueryCanceledError,
    asyncpg.exceptions.LockNotAvailableError,
    asyncpg.exceptions.TransactionRollbackError,
    asyncpg.exceptions.OperatorInterventionError,
    asyncpg.exceptions.InsufficientResourcesError,
    asyncpg.exceptions.IdleInTransactionSessionTimeoutError,
    asyncpg.exceptions.PostgresConnectionError,
    ConnectionError,
    TimeoutError,
)
_BY_STATUS: dict[int, type[Problem]] = {
    400: errors.MalformedRequest,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    408: errors.RequestTimeout,
    413: errors.TooLarge,
    422: errors.InvalidInput,
    429: errors.TooMany,
}
# Any operation may be sent nonsense or too much of it, or meet a busy database.
_EVERYWHERE: tuple[type[Problem], ...] = (
    errors.MalformedRequest,
    errors.TooLarge,
    errors.InvalidInput,
    errors.Unavailable,
)
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": "问题的种类，固定不变，见 docs/problems.md"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "问题与办法，可直接显示给使用者"},
    },
    "additionalProperties": True,
}
_RETRY_AFTER: dict[str, Any] = {
    "Retry-After": {"description": "多少秒后可以重试", "schema": {"type": "integer"}}
}
log = structlog.get_logger()


def respond(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    sent = dict(headers or {})
    if problem.retry_after is not None:
        sent["Retry-After"] = str(problem.retry_after)
    if problem.status == 401:
        sent["WWW-Authenticate"] = "Bearer"
    return Response(msgspec.json.encode(_told(problem)), problem.status, sent, MEDIA_TYPE)


def _told(problem: Problem) -> dict[str, object]:
    return {
        "type": f"/problems/{problem.type}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.told,
        **problem.facts,
    }


def problems(*kinds: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """For `responses=` of an operation: the problems it may answer with, beside those every operation has."""
    by_status: dict[int | str, dict[str, Any]] = {}
    for kind in sorted({*kinds, *_EVERYWHERE}, key=lambda kind: (kind.status, kind.type)):
        described = by_status.setdefault(
            kind.status,
            {
                "description": "",
                "content": {MEDIA_TYPE: {"schema": _SCHEMA, "examples": {}}},
                "headers": _RETRY_AFTER if kind.status in {429, 503} else {},
            },
        )
        described["description"] = "；".join(filter(None, (described["description"], kind.title)))
        described["content"][MEDIA_TYPE]["examples"][kind.type] = {
            "summary": kind.title,
            "value": _told(kind()),
        }
    return by_status


def try_again(error: BaseException) -> bool:
    """Whether the failure is the database's state rather than the request's fault."""
    return isinstance(error, _TRY_AGAIN)


def from_failure(error: Exception) -> Problem:
    """What to tell about a failure that is not a problem already."""
    if try_again(error):
        return errors.Unavailable(retry_after=2)
    if isinstance(error, RequestValidationError):
        return from_validation(error)
    if isinstance(error, keys.Unreadable):
        return errors.StoredDataUnreadable()
    if isinstance(error, HTTPException):
        return _BY_STATUS.get(error.status_code, errors.MalformedRequest)()
    return errors.Unexpected()


def from_validation(error: RequestValidationError) -> Problem:
    """Where each mistake is and what kind it is; never what was sent."""
    mistakes = [
        {"where": _where(one["loc"]), "what": _in_chinese(one)} for one in error.errors()[:50]
    ]
    return errors.InvalidInput(mistakes=mistakes)


def _where(location: tuple[Any, ...]) -> str:
    return ".".join(str(step)[:60].encode("utf-8", "replace").decode() for step in location)


_MISTAKES = {
    "missing": "必填",
    "finite_number": "须为整数",
    "string_type": "须为文字",
    "string_unicode": "含有无法读取的字符",
    "int_type": "须为整数",
    "float_type": "须为数字",
    "int_parsing": "须为整数",
    "int_parsing_size": "数字过大",
    "int_from_float": "须为整数",
    "bool_type": "须填是或否",
    "bool_parsing": "须填是或否",
    "list_type": "须为列表",
    "dict_type": "须为一组填写的内容",
    "model_type": "须为一组填写的内容",
    "model_attributes_type": "须为一组填写的内容",
    "date_type": "不是有效的日期",
    "date_parsing": "不是有效的日期",
    "date_from_datetime_parsing": "不是有效的日期",
    "date_from_datetime_inexact": "只填日期，不填时刻",
    "datetime_type": "不是有效的时间",
    "datetime_parsing": "不是有效的时间",
    "datetime_from_date_parsing": "不是有效的时间",
    "datetime_object_invalid": "不是有效的时间",
    "extra_forbidden": "多余的字段",
    "string_too_long": "太长，最多 {max_length} 字",
    "string_too_short": "太短，至少 {min_length} 字",
    "string_pattern_mismatch": "格式不符",
    "json_invalid": "内容的格式有误，无法读取",
    "enum": "不在可选范围内",
    "literal_error": "不在可选范围内",
    "greater_than_equal": "不能小于 {ge}",
    "less_than_equal": "不能大于 {le}",
    "greater_than": "须大于 {gt}",
    "less_than": "须小于 {lt}",
    "too_long": "项数过多，最多 {max_length} 项",
    "too_short": "项数过少，至少 {min_length} 项",
    "uuid_type": "编号格式不符",
    "uuid_parsing": "编号格式不符",
    "timezone_aware": "时间须写明时区",
    "text": "{reason}",
}


_OF_MOMENTS = {
    "greater_than_equal": "不能早于 {ge}",
    "less_than_equal": "不能晚于 {le}",
    "greater_than": "须晚于 {gt}",
    "less_than": "须早于 {lt}",
}


def _in_chinese(mistake: dict[str, Any]) -> str:
    kind = mistake["type"]
    if kind in ("too_long", "too_short") and isinstance(mistake["input"], str):
        # A length that is looked at after other checks: pydantic no longer says that it is a text's.
        kind = f"string_{kind}"
    template = _MISTAKES.get(kind, "类型或取值不符")
    shown = dict(mistake.get("ctx", {}))
    if kind in _OF_MOMENTS:
        shown = {name: _bound(value) for name, value in shown.items()}
        if shown != mistake["ctx"]:
            template = _OF_MOMENTS[kind]
    return template.format(**shown)


def _bound(value: Any) -> Any:
    """A day or moment as people write it; pydantic names it in ISO 8601. A number stays."""
    if not isinstance(value, str):
        return value
    moment = datetime.fromisoformat(value)
    return in_words(moment if "T" in value else moment.date())


def _route(request: Request) -> str | None:
    """As the route is written: the path that was asked for holds a case's number."""
    return getattr(request.scope.get("route"), "path", None)


def wants_page(headers: Mapping[str, str]) -> bool:
    """Whether a person looks at the answer: their browser asks for a page first of all."""
    return "text/html" in headers.get("accept", "")


def respond_page(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """The same for people: a page in words."""
    answer = page("problem.html", problem.status, title=problem.title, told=problem.told, code=None)
    answer.headers.update({"Cache-Control": "no-store", **(headers or {})})
    if problem.retry_after is not None:
        answer.headers["Retry-After"] = str(problem.retry_after)
    return answer


def _allowed(request: Request) -> dict[str, str]:
    """All methods of an address: the framework names those of the first route that has its path."""
    routes = request.scope["app"].routes
    found = [
        method
        for method in _METHODS
        if any(one.matches({**request.scope, "method": method})[0] is Match.FULL for one in routes)
    ]
    if "GET" in found and "HEAD" not in found:
        found.insert(1, "HEAD")  # answered like GET, by qungong/middleware.py
    return {"Allow": ", ".join(found)} if found else {}


def install(app: FastAPI, *, pages: bool = False) -> None:
    """Every failure of the application leaves as a problem; with `pages`, as a page where a browser asks for one."""

    def answer(request: Request, told: Problem, headers: Mapping[str, str] | None) -> Response:
        as_page = pages and wants_page(request.headers)
        return respond_page(told, headers) if as_page else respond(told, headers)

    async def problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        refusals.note(request, error)
        return answer(request, error, None)

    async def failure(request: Request, error: Exception) -> Response:
        told = from_failure(error)
        if told.status >= 500 or isinstance(error, keys.Unreadable):
            # The class and the statement's shape help; the values might be somebody's name or number.
            log.error(
                "request failed",
                route=_route(request),
                error=type(error).__name__,
                exc_info=told.status == 500,
            )
        return answer(request, told, _allowed(request) if told.status == 405 else None)

    async def gone(request: Request, _error: Exception) -> Response:
        # The client's business, and anybody can do it: one short line. Nobody reads this answer.
        log.info("client went away", route=_route(request))
        return respond(errors.RequestTimeout())

    app.add_exception_handler(Problem, problem)
    app.add_exception_handler(ClientDisconnect, gone)
    for kind in (
        RequestValidationError,
        HTTPException,
        keys.Unreadable,
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        OSError,
        Exception,
    ):
        app.add_exception_handler(kind, failure)
