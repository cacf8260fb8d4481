"""The templates the simulated 阿里云 has approved: every text's words, under a code that follows from the words. Pure."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Final
from zlib import crc32

from app.db import Transaction
from app.texts import approvals
from app.texts.approvals import Approval
from sms.gateway import Capabilities
from sms.providers.aliyun import PROVIDER
from sms.providers.aliyun_protocol import LONGEST_VALUE
from sms.templates import applications

_PLACE: Final = re.compile(r"\$\{(\w+)\}")


def code_of(words: str) -> str:
    """E.g. SMS_0154950909: other words, another code."""
    return f"SMS_{crc32(words.encode()):010d}"


@cache
def approved() -> Mapping[str, str]:
    """By code: the words with `${places}`, those for where replies come back and those for where none do."""
    return {
        code_of(one.words): one.words
        for two_way in (True, False)
        for one in applications(Capabilities(two_way, False, False, LONGEST_VALUE))
    }


def places(words: str) -> set[str]:
    return set(_PLACE.findall(words))


def filled(words: str, values: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda place: values[place[1]], words)


async def approve_all(tx: Transaction) -> None:
    """Note the simulator's approvals as an operator would note the provider's."""
    now = await tx.now()
    for template in await approvals.listed(tx, PROVIDER):
        if template.id is not None and template.approval is Approval.PENDING:
            code = code_of(template.words)
            if code in approved():
                await approvals.approve(tx, template.id, code, staff_id=None, now=now)
