"""`qungong sms templates` as a person at a terminal uses it."""

import json
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from app.settings import settings
from qungong.cli import app
from sms.texts import TEMPLATES


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["sms", "templates", *words], env={"COLUMNS": "200"})
    return done.exit_code, done.output


@pytest.fixture
def configured(
    fresh_database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    assert redis_url
    monkeypatch.setenv("DATABASE_URL", fresh_database_url)
    monkeypatch.setenv("SMS_PROVIDER", "aliyun")
    settings.cache_clear()
    yield
    settings.cache_clear()


def test_words_are_printed_as_one_applies_for_their_approval(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SMS_PROVIDER", "aliyun")
    settings.cache_clear()
    try:
        code, told = run("--apply")
        listed = json.loads(run("--apply", "--json")[1])
    finally:
        monkeypatch.delenv("SMS_PROVIDER")
        settings.cache_clear()
    assert code == 0
    assert "模板类型：验证码\n签名：荣昌群工\n模板内容：验证码${code}，5分钟内有效" in told
    assert "  变量 ${code}：仅数字，不超过 6 字" in told
    assert "✗" not in told
    assert [one["kind"] for one in listed] == list(TEMPLATES)


def test_what_provider_said_is_noted_and_until_all_is_approved_it_exits_1(
    configured: None,
) -> None:
    assert configured is None
    code, told = run("--json")
    assert (code, {one["approval"] for one in json.loads(told)}) == (1, {"pending"})
    code, told = run("--json", "--approve", "receipt=SMS_1", "--reject", "survey=变量未说明")
    noted = {one["kind"]: one for one in json.loads(told)}
    assert (code, noted["receipt"]["template_code"]) == (1, "SMS_1")
    assert (noted["survey"]["approval"], noted["survey"]["reason"]) == ("rejected", "变量未说明")
    approvals = [word for kind in TEMPLATES for word in ("--approve", f"{kind}=SMS_{kind}")]
    assert run(*approvals)[0] == 0
    assert run("--withdraw", "receipt=已失效")[0] == 1
    code, told = run("--approve", "nonsense=SMS_1")
    assert (code, "nonsense" in told) == (2, True)
    assert run("--approve", "receipt")[0] == 2


def test_where_any_words_may_be_sent_there_is_nothing_to_approve() -> None:
    code, told = run()
    assert (code, "不需要报审模板" in told) == (0, True)
