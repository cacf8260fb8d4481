"""Whatever is sent, the answer is a problem below 500 that does not repeat what was sent, and nothing has changed."""

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

import pytest
from fastapi import FastAPI
from sqlalchemy import text

from app.db import reading
from tests.api.actions import BODIES
from tests.api.conftest import Who
from tests.people import WATER, Person

_EVERYTHING = text(
    "SELECT (SELECT count(*) FROM grievance), (SELECT count(*) FROM record_entry), (SELECT count(*) FROM outbox_message), "
    "(SELECT count(*) FROM given_answer), (SELECT count(*) FROM citizen)"
)


async def everything() -> tuple[int, ...]:
    async with reading() as tx:
        return tuple((await tx.all(_EVERYTHING))[0])


def refused(status: int, content: bytes, kind: str) -> None:
    assert 400 <= status < 500, content
    assert kind == "application/problem+json"
    problem = json.loads(content)
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]


TEXTS = {
    "nothing that is seen": "\u202e\u200b\x00",
    "too long": "水" * 5001,
    "nothing": "",
    "blanks": " \t\n ",
    "a number": 7,
    "true": True,
    "a list": ["水"],
    "an object": {"水": "停了"},
    "null": None,
}


@pytest.mark.parametrize(
    ("wrong", "what"),
    [(" ", "太短，至少 1 字"), ("水" * 101, "太长，最多 100 字"), ([], "须为文字")],
)
async def test_of_text_it_is_said_by_how_many_letters_it_is_too_long_or_too_short(
    who: Who, wrong: Any, what: str
) -> None:
    answer = await (await who("gongnong")).post("/cases", {**WATER, "title": wrong})
    assert answer.json()["mistakes"] == [{"where": "body.title", "what": what}]


UNSEEN = ("\x00", "\ud800", "\u202e", "\u202d", "\u2066", "\x1b", "\u200b", "\ufeff", "\u00ad")


@pytest.mark.parametrize("letter", UNSEEN, ids=[f"U+{ord(one):04X}" for one in UNSEEN])
async def test_text_with_a_letter_that_nobody_sees_is_stored_without_it(
    who: Who, letter: str
) -> None:
    """A draft written without a network would come back for ever, and nobody could see why."""
    cadre = await who("gongnong")
    ref = await registers(cadre, f"{letter}水{letter}停了", f"{letter}自来水\x0b停了{letter}", f"王{letter}大爷")  # fmt: skip
    case = await cadre.sees(f"/cases/{ref}")
    assert (case["title"], case["body"]) == ("水停了", "自来水\n停了")
    assert case["reporter"]["name"] == "王大爷"


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\x0b", "\x0c", "\u2028", "\t"])
async def test_title_of_two_lines_is_stored_in_one(who: Who, line_break: str) -> None:
    cadre = await who("gongnong")
    ref = await registers(cadre, f"水{line_break}停了", "自来水停了", "王大爷")
    assert (await cadre.sees(f"/cases/{ref}"))["title"] == "水 停了"


async def registers(cadre: Person, title: str, body: str, name: str) -> str:
    given = {**WATER, "title": title, "body": body, "person": {"name": name}}
    answer = await cadre.client.post(
        "/cases", content=json.dumps(given), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["ref"])


@pytest.mark.parametrize("wrong", TEXTS.values(), ids=TEXTS.keys())
async def test_title_that_is_none_is_refused(who: Who, wrong: Any) -> None:
    await nothing_comes_of(await who("gongnong"), "/cases", {**WATER, "title": wrong})


@pytest.mark.parametrize("wrong", TEXTS.values(), ids=TEXTS.keys())
async def test_text_that_is_none_is_refused(who: Who, wrong: Any) -> None:
    cadre = await who("gongnong")
    ref = await cadre.registers()
    await nothing_comes_of(cadre, f"/cases/{ref}/escalate", {"finding": wrong})


VALUES: dict[str, dict[str, Any]] = {
    "an unknown field": {"phase": "closed"},
    "an unknown field with a strange name": {"\ud800\x00": 1},
    "an unknown kind": {"kind": "rumour"},
    "a category beyond int4": {"category_id": 2**31},
    "a category beyond int8": {"category_id": 2**63},
    "a category of a hundred digits": {"category_id": 10**100},
    "a category below": {"category_id": -1},
    "a category that is not there": {"category_id": 2**31 - 1},
    "a category as text": {"category_id": "1"},
    "a category and a half": {"category_id": 1.5},
    "urgent as text": {"urgent": "yes"},
    "a village that is not there": {"village_code": "999999999999"},
    "a village code that is none": {"village_code": "'; DROP TABLE grievance --"},
    "an accused that is not there": {"accused_code": "ZZZZ"},
    "a moment without a time zone": {"occurred_at": "2026-11-22T08:30:00"},
    "the first moment of all": {"occurred_at": "0001-01-01T00:00:00+14:00"},
    "the last moment of all": {"occurred_at": "9999-12-31T23:59:59-14:00"},
    "a moment as a number": {"occurred_at": 1e300},
    "a service number": {"person": {"name": "王大爷", "phone": "400-810-5678"}},
    "a number from abroad": {"person": {"name": "王大爷", "phone": "+12025550123"}},
    "no number at all": {"person": {"name": "王大爷", "phone": "没有"}},
    "a person without a name": {"person": {"phone": "13983001234"}},
    "a person who is a list": {"person": []},
}


@pytest.mark.parametrize("wrong", VALUES.values(), ids=VALUES.keys())
async def test_value_that_is_none_is_refused(who: Who, wrong: dict[str, Any]) -> None:
    await nothing_comes_of(await who("gongnong"), "/cases", {**WATER, **wrong})


async def nothing_comes_of(person: Person, path: str, body: Any) -> None:
    before = await everything()
    raw = json.dumps(body).encode()
    answer = await person.client.post(
        path, content=raw, headers={"Content-Type": "application/json", "Idempotency-Key": "bad"}
    )
    refused(answer.status_code, answer.content, answer.headers["content-type"])
    assert await everything() == before


_PLAIN = json.dumps(WATER).encode()
JSON = "application/json"
BODIES_RAW: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", JSON),
    "no JSON": (b"{", JSON),
    "NaN": (_PLAIN.replace(b'"help"', b"NaN"), JSON),
    "Infinity": (b'{"category_id": -Infinity}', JSON),
    "1e400": (b'{"category_id": 1e400}', JSON),
    "an integer of ten thousand digits": (b'{"category_id": ' + b"9" * 10_000 + b"}", JSON),
    "ten thousand lists deep": (b"[" * 10_000 + b"]" * 10_000, JSON),
    "an unknown field a thousand deep": (
        _PLAIN[:-1] + b', "x": ' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"}",
        JSON,
    ),
    "not UTF-8": (b'{"title": "\xff\xfe\xfd"}', JSON),
    "a list": (b"[]", JSON),
    "a text": (b'"x"', JSON),
    "null": (b"null", JSON),
    "the wrong type": (_PLAIN, "text/plain"),
    "a form": (b"title=a&body=b&kind=help", "application/x-www-form-urlencoded"),
    "no type": (_PLAIN, ""),
    "a type that is none": (_PLAIN, "\x7f;;=;charset=\xff"),
    "too much": (b'{"title": "' + b"a" * 2_000_000 + b'"}', JSON),
}


@pytest.mark.parametrize("raw", BODIES_RAW.values(), ids=BODIES_RAW.keys())
async def test_body_that_cannot_be_read_is_refused(who: Who, raw: tuple[bytes, str]) -> None:
    cadre = await who("gongnong")
    content, kind = raw
    before = await everything()
    answer = await cadre.client.post(
        "/cases", content=content, headers=[(b"content-type", kind.encode("latin-1"))]
    )
    refused(answer.status_code, answer.content, answer.headers["content-type"])
    assert await everything() == before


async def test_body_that_grows_too_large_without_saying_so_is_refused(who: Who) -> None:
    cadre = await who("gongnong")

    async def endless() -> Any:
        for _ in range(64):
            yield b" " * 65536

    for path in ("/cases", "/sessions"):
        answer = await cadre.client.post(
            path, content=endless(), headers={"Content-Type": "application/json"}
        )
        refused(answer.status_code, answer.content, answer.headers["content-type"])
        assert answer.status_code == 413


async def test_every_action_refuses_a_body_that_is_not_its_own(who: Who) -> None:
    cadre = await who("gongnong")
    ref = await cadre.registers()
    for action in (action for action, body in BODIES.items() if body is not None):
        strange: list[Any] = [{}, {"unknown": 1}, [], "x", {**(BODIES[action] or {}), "more": 1}]
        for body in strange:
            if action == "press" and body == {}:
                continue  # nothing need be said with it
            await nothing_comes_of(cadre, f"/cases/{ref}/{action}", body)


QUERIES = {
    "an unknown view": "view=everything",
    "an unknown question": "phase=closed",
    "a size of nothing": "size=0",
    "a size beyond all": "size=" + "9" * 400,
    "a size that is no number": "size=x",
    "a cursor of nothing": "cursor=",
    "a cursor that is none": "cursor=abc",
    "a cursor with NUL": "cursor=%00~%00",
    "a cursor with a moment beyond all": "cursor=" + "9" * 30 + "~01890a5d-ac96-774b-bcce-b302099a8057",
    "a cursor with a moment before all": "cursor=-" + "9" * 20 + "~01890a5d-ac96-774b-bcce-b302099a8057",
    "an overlong cursor": "cursor=" + "x" * 5000,
    "bytes that are no text": "view=%ff%fe",
    "half a percent sign": "view=%",
}  # fmt: skip


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES.keys())
async def test_question_that_is_none_is_refused(who: Who, api: FastAPI, query: str) -> None:
    refused(*await raw_request(api, await who("gongnong"), "GET", b"/cases", query.encode()))


PATHS = {
    "a reference that is none": b"/cases/abc",
    "an overlong reference": b"/cases/" + b"9" * 60_000,
    "NUL": b"/cases/%00",
    "bytes that are no text": b"/cases/%ff%fe%80",
    "half a percent sign": b"/cases/%",
    "a path upwards": b"/cases/../../etc/passwd",
    "a slash inside": b"/cases/500153%2F261122",
    "two slashes": b"//cases",
    "a slash at the end": b"/cases/",
    "a unit that is none": b"/units/%E2%80%AE",
    "nowhere": b"/nowhere",
}


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS.keys())
async def test_path_that_leads_nowhere_is_refused(who: Who, api: FastAPI, path: bytes) -> None:
    refused(*await raw_request(api, await who("gongnong"), "GET", path))


HEADERS = {
    "an empty key": (b"idempotency-key", b""),
    "a key with blanks": (b"idempotency-key", b"a b"),
    "a key beyond ASCII": (b"idempotency-key", "水".encode()),
    "an overlong key": (b"idempotency-key", b"x" * 5000),
    "a version that is none": (b"if-match", b"3"),
    "any version": (b"if-match", b"*"),
    "a version beyond all": (b"if-match", b'"' + b"9" * 400 + b'"'),
    "a token that is none": (b"authorization", b"Bearer \xff\x00"),
    "an overlong token": (b"authorization", b"Bearer " + b"x" * 60_000),
    "another scheme": (b"authorization", b"Basic Z29uZ25vbmc6eA=="),
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS.keys())
async def test_header_that_is_none_is_refused(
    who: Who, api: FastAPI, header: tuple[bytes, bytes]
) -> None:
    cadre = await who("gongnong")
    ref = await cadre.registers()
    before = await everything()
    path = f"/cases/{ref}/handle".encode()
    refused(*await raw_request(api, cadre, "POST", path, headers=[header]))
    assert await everything() == before


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
async def test_method_that_is_not_offered_is_refused_and_told_which_are(
    who: Who, method: str
) -> None:
    answer = await (await who("gongnong")).client.request(method, "/cases")
    refused(answer.status_code, answer.content, answer.headers["content-type"])
    assert answer.status_code == 405
    assert answer.headers["allow"]


async def test_what_was_sent_is_not_repeated_in_the_refusal(who: Who) -> None:
    cadre = await who("gongnong")
    secret = {"name": "王秘密", "phone": "1398300123400"}
    answer = await cadre.post("/cases", {**WATER, "person": secret, "title": "王秘密" * 60})
    assert answer.status_code == 422
    assert "王秘密" not in answer.text
    assert "1398300" not in answer.text
    assert {one["where"] for one in answer.json()["mistakes"]} == {
        "body.title",
        "body.person.phone",
    }


async def raw_request(
    api: FastAPI,
    person: Person,
    method: str,
    path: bytes,
    query: bytes = b"",
    headers: Iterable[tuple[bytes, bytes]] = (),
) -> tuple[int, bytes, str]:
    """A request as a server hands it on, without a client that would put it right first."""
    own = [(b"authorization", person.client.headers["authorization"].encode())]
    given = list(headers)
    if any(name == b"authorization" for name, _ in given):
        own = []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquoted(path),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": [(b"host", b"county.test"), *own, *given],
        "client": ("127.0.0.1", 1),
        "server": ("county.test", 80),
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await api(scope, receive, send)
    kind = dict(sent[0]["headers"])[b"content-type"].decode()
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], body, kind


def unquoted(path: bytes) -> str:
    return unquote(path.decode("ascii"))


async def test_what_need_not_be_said_may_be_left_empty(who: Who) -> None:
    cadre, center = await who("gongnong"), await who("zhihui")
    ref = await cadre.registers(place="")
    assert (await center.post(f"/cases/{ref}/press", {"note": ""})).status_code == 200
