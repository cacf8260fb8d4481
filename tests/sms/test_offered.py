"""What the simulator's page offers a demonstrator: it can be chosen, read back, and means what the page says of it."""

import httpx
import pytest

from app.texts.terms import ErrorClass
from sms.providers import aliyun_protocol, twilio_protocol
from sms.simulator.offered import offered
from tests.sms.aliyun import Aliyun
from tests.sms.conftest import World


def chosen_one_by_one(control: httpx.Client) -> list[str]:
    listed = control.get("/control/offered").json()
    for one in listed:
        control.post("/control/behaviour", json=one["behaviour"]).raise_for_status()
        # As the page finds which one it is.
        assert control.get("/control/behaviour").json() == one["behaviour"]
    return [one["words"] for one in listed]


def test_each_can_be_chosen_and_is_found_again(world: World, aliyun: Aliyun) -> None:
    words = chosen_one_by_one(world.control)
    assert words[0] == "正常"
    assert len(set(words)) == len(words)
    assert chosen_one_by_one(aliyun.control) == words


@pytest.mark.parametrize("aliyun", [True, False])
def test_its_codes_are_providers_and_of_class_that_page_speaks_of(*, aliyun: bool) -> None:
    classify = aliyun_protocol.classify if aliyun else twilio_protocol.classify
    by_words = {one.words: one for one in offered(aliyun=aliyun)}
    for words, error in [("对方关机，未送达", ErrorClass.TRANSIENT), ("空号，未送达", ErrorClass.NUMBER_UNUSABLE)]:  # fmt: skip
        assert classify(str(by_words[words].behaviour.failure_code)) is error
    (code,) = by_words["账户异常，一律拒收"].behaviour.refused
    assert classify(code) is ErrorClass.ACCOUNT
    assert all(one.then for one in by_words.values() if one.words != "正常")
