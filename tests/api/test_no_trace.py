"""An accusation changes nothing that anybody but its inspectors is shown, on any page of the staff's interface that lists or counts."""

from collections.abc import Iterable

import pytest
from fastapi import FastAPI

from tests.api.conftest import Who
from tests.api.test_visibility import EVERYBODY, outsider
from tests.people import Person

__all__ = ["outsider"]

Shown = dict[tuple[str, str], tuple[int, bytes]]
# Of all operations, at least so many lists answer alike when asked twice; the others tell the moment.
_AT_LEAST = 8


def lists(api: FastAPI) -> list[str]:
    """Every GET that needs neither an id nor a query, with each value of a parameter that has a few."""
    document = api.openapi()
    found = []
    for path, verbs in document["paths"].items():
        asked = verbs.get("get", {}).get("parameters", [])
        if "get" not in verbs or "{" in path or any(one.get("required") for one in asked):
            continue
        found.append(path)
        for one in asked:
            schema = one["schema"]
            if "$ref" in schema:
                schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            found += [f"{path}?{one['name']}={value}" for value in schema.get("enum", ())]
    return found


async def shown(people: Iterable[Person], paths: Iterable[str]) -> Shown:
    told = {}
    for person in people:
        for path in paths:
            answer = await person.client.get(path)
            told[person.account, path] = (answer.status_code, answer.content)
    return told


@pytest.mark.parametrize("outsider", ["county"], indirect=True)
async def test_accusation_leaves_no_trace_in_what_others_are_shown(
    who: Who, api: FastAPI, outsider: Person
) -> None:
    phone, accused = "13983007654", "500153003007"
    person = {"name": "赵大姐", "phone": phone}
    await (await who("gongnong")).registers(title="路灯不亮", person=person)
    people = [await who(account) for account in EVERYBODY if account != "jiwei"] + [outsider]
    paths = lists(api)
    first, second = await shown(people, paths), await shown(people, paths)
    stable = [key for key, answer in first.items() if second[key] == answer]
    assert len({path for _, path in stable}) >= _AT_LEAST
    ref = await (await who("ronglong")).registers(
        kind="accusation", title="检举", accused_code=accused, person=person
    )
    inspector = await who("jiwei")
    await inspector.does(f"/cases/{ref}/handle")
    after = await shown(people, paths)
    assert [key for key in stable if after[key] != second[key]] == []
    await inspector.does(f"/cases/{ref}/answer", outcome="solved", answer="已查处")
    after = await shown(people, paths)
    assert [key for key in stable if after[key] != second[key]] == []
    assert ref in await inspector.lists("finished")
