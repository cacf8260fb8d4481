"""Who may push to us: the provider, from its addresses, to the secret path. For anybody else there is nothing."""

from uuid import UUID

import httpx
import pytest

from app.settings import settings
from tests.sms.aliyun import PUSHES
from tests.sms.pushing import REPORTS, client, receipt, state


@pytest.mark.parametrize(
    "path",
    [
        "/sms/aliyun/another-secret-000/reports",
        "/sms/aliyun/%00/reports",
        "/sms/aliyun/水/reports",
        f"{PUSHES}x/reports",
        PUSHES,
    ],
)
async def test_at_another_address_there_is_nothing(
    web: httpx.AsyncClient, message_id: UUID, path: str
) -> None:
    answered = await web.post(path, json=[receipt(message_id)])
    assert answered.status_code == 404
    assert (await state(message_id))[0] == "queued"


@pytest.mark.parametrize("address", ["10.0.0.9", "::1", "", "unix:", "127.0.0.2"])
async def test_from_elsewhere_there_is_nothing(
    web: httpx.AsyncClient, message_id: UUID, address: str
) -> None:
    async with client(address) as elsewhere:
        answered = await elsewhere.post(REPORTS, json=[receipt(message_id)])
        wrong = await web.post("/sms/aliyun/another-secret-000/reports", json=[])
    assert (answered.status_code, answered.content) == (404, wrong.content)
    assert (await state(message_id))[0] == "queued"


async def test_networks_may_be_allowed_and_mapped_addresses_count_as_what_they_are(
    web: httpx.AsyncClient, message_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert web is not None
    monkeypatch.setenv("ALIYUN_PUSH_ADDRESSES", "203.0.113.0/24, 2001:db8::/32")
    settings.cache_clear()
    for address, answer in [("203.0.113.9", 200), ("::ffff:203.0.113.9", 200), ("2001:db8::1", 200), ("127.0.0.1", 404)]:  # fmt: skip
        async with client(address) as there:
            answered = await there.post(REPORTS, json=[receipt(message_id)])
        assert answered.status_code == answer


async def test_where_another_provider_is_configured_published_address_is_closed(
    web: httpx.AsyncClient, message_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMS_PROVIDER", "twilio")
    settings.cache_clear()
    assert (await web.post(REPORTS, json=[receipt(message_id)])).status_code == 404
    # With secrets of one's own the former provider is still heard.
    monkeypatch.setenv("ALIYUN_ACCESS_KEY_SECRET", "own")
    monkeypatch.setenv("ALIYUN_PUSH_SECRET", "own-secret-own-secret")
    monkeypatch.setenv("ALIYUN_PUSH_ADDRESSES", "127.0.0.0/8")
    settings.cache_clear()
    own = await web.post("/sms/aliyun/own-secret-own-secret/reports", json=[receipt(message_id)])
    assert own.status_code == 200
