"""The templates of the text messages over HTTP: the administrator looks and notes what the provider said, nobody else."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from app.db import transaction
from app.settings import settings
from app.texts import approvals
from qungong.asgi import app as served
from sms import templates
from sms.providers import aliyun_protocol
from tests import people
from tests.api.conftest import Who
from tests.people import Person

AT = "/sms/templates"


@pytest_asyncio.fixture
async def admin(who: Who, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Person]:
    monkeypatch.setenv("SMS_PROVIDER", "aliyun")
    settings.cache_clear()
    yield await who("admin")
    settings.cache_clear()


@pytest_asyncio.fixture
async def words(admin: Person) -> str:
    """Words of this test's own."""
    assert admin.account == "admin"
    said = f"您反映的“${{title}}”已收到{uuid4()}"
    async with transaction() as tx:
        await approvals.register(tx, "aliyun", {f"test_{uuid4().hex[:20]}": said})
    return said


async def template(admin: Person, words: str) -> dict[str, Any]:
    listed = await admin.sees(AT)
    assert listed["provider"] == "aliyun"
    (found,) = [one for one in listed["templates"] if one["words"] == words]
    return dict(found)


async def test_administrator_notes_what_the_provider_said(admin: Person, words: str) -> None:
    found = await template(admin, words)
    assert (found["approval"], found["template_code"]) == ("pending", None)
    at = f"{AT}/{found['id']}"
    approved = await admin.does(f"{at}/approve", template_code="SMS_154950909")
    assert (approved["approval_label"], approved["template_code"]) == ("已通过", "SMS_154950909")
    assert (await template(admin, words))["approval"] == "approved"
    again = await admin.post(f"{at}/approve", {"template_code": "SMS_154950909"})
    assert again.status_code == 409
    rejected = await admin.does(f"{at}/reject", reason="变量未说明用途")
    assert (rejected["approval"], rejected["template_code"]) == ("rejected", None)
    withdrawn = await admin.does(f"{at}/withdraw", reason="重新报审")
    assert (withdrawn["approval"], withdrawn["reason"]) == ("pending", "重新报审")


@pytest.mark.parametrize("account", ["zhihui", "lingdao", "gongnong", "ducha"])
async def test_nobody_else_sees_or_notes_it(
    admin: Person, words: str, who: Who, account: str
) -> None:
    id_ = (await template(admin, words))["id"]
    other = await who(account)
    assert (await other.get(AT)).status_code == 403
    answered = await other.post(f"{AT}/{id_}/approve", {"template_code": "SMS_1"})
    assert answered.status_code == 403
    assert (await template(admin, words))["approval"] == "pending"


@pytest.mark.parametrize("code", ["", "SMS#1", "短信", "x" * 61, None, 7])
async def test_code_that_is_none_is_refused(admin: Person, words: str, code: object) -> None:
    id_ = (await template(admin, words))["id"]
    answered = await admin.post(f"{AT}/{id_}/approve", {"template_code": code})
    assert answered.status_code == 422
    unknown = await admin.post(f"{AT}/{2**31 - 1}/approve", {"template_code": "SMS_1"})
    assert unknown.status_code == 404


async def test_repeated_note_under_the_same_key_is_answered_the_same(
    admin: Person, words: str
) -> None:
    id_ = (await template(admin, words))["id"]
    key, body = uuid4().hex, {"template_code": "SMS_2"}
    first = await admin.post(f"{AT}/{id_}/approve", body, key=key)
    again = await admin.post(f"{AT}/{id_}/approve", body, key=key)
    assert (first.status_code, first.content) == (again.status_code, again.content)


async def test_health_warns_while_a_text_has_no_approval(admin: Person) -> None:
    assert admin.account
    async with people.visitor(served) as anybody:
        told = await anybody.sees("/health")
        assert told["status"] == "warning"
        assert "survey" in told["texts"]["unapproved"]
        async with transaction() as tx:
            can = aliyun_protocol.capabilities(settings())
            now = await tx.now()
            await templates.register(tx, "aliyun", can)
            for one in await approvals.listed(tx, "aliyun"):
                if one.current and one.id is not None:
                    await approvals.approve(tx, one.id, f"SMS_{one.id}", staff_id=None, now=now)
        try:
            assert (await anybody.sees("/health"))["texts"]["unapproved"] == []
        finally:
            async with transaction() as tx:
                for one in await approvals.listed(tx, "aliyun"):
                    if one.current and one.id is not None:
                        await approvals.withdraw(tx, one.id, "测试", staff_id=None, now=now)
