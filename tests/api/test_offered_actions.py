"""What `actions` offers, on each face: there is an operation for it, and it takes the same on both faces."""

import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from app.api.case_actions import DESK as DESK_FACE
from app.auth.actor import CitizenActor
from app.calendars.working_time import WorkingCalendar
from app.cases import access
from app.cases.dossier import Dossier
from app.cases.lifecycle import RULES, Action, Phase, Standing
from app.cases.models import Case
from app.cases.routing import Place
from app.directory.terms import UnitKind
from app.errors import Changed, KeyRequired, NotPermitted, OtherPost, TooMany
from app.http import case_actions
from app.http.case_actions import CASE_ACTIONS
from app.limits.rules import NOTHING_SET
from app.limits.terms import Kind, Stage
from app.matters.clocks import Clock
from app.matters.deadlines import Timing
from app.matters.matter import Matter
from app.matters.parts import Assignment, AssignmentRole, AssignmentState
from mobile_api.cadre import ON_THE_PHONE
from mobile_api.reports import REPORTERS
from tests import faces

DESK, PHONES = faces.desk().openapi(), faces.phone().openapi()
NOW = datetime(2026, 11, 30, tzinfo=UTC)
OWN, OTHER = 7, 8
# Whoever is on a case from above it, by other facts than its own unit's part in it.
_BY_THE_SYSTEM = {Standing.SYSTEM}


@dataclass(frozen=True, slots=True)
class Face:
    """One kind of user on one face. Such a user can have each of `standings`."""

    document: dict[str, Any]
    prefixes: tuple[str, ...]
    standings: frozenset[Standing]

    def offers(self) -> set[Action]:
        """Every action that `actions` can ever hold here, and those that the table leaves to another page."""
        return {rule.action for rule in RULES if rule.by & self.standings}

    def path(self, action: Action) -> str | None:
        name = action.value.replace("_", "-")
        paths = (f"{prefix}/{name}" for prefix in self.prefixes)
        return next((one for one in paths if "post" in self.document["paths"].get(one, {})), None)

    def without_operation(self) -> set[Action]:
        return {action for action in self.offers() if self.path(action) is None}


MOUNTED: dict[str, case_actions.Face[Any]] = {
    "desk": DESK_FACE,
    "cadre": ON_THE_PHONE,
    "citizen": REPORTERS,
}
OF_THE_FACE = {one.type for one in (KeyRequired, NotPermitted, OtherPost, TooMany, Changed)}
FACES = {
    "desk": Face(
        DESK,
        ("/cases/{ref}", "/cards/{card_id}"),
        frozenset(Standing) - _BY_THE_SYSTEM - {Standing.REPORTER},
    ),
    "cadre": Face(
        PHONES,
        ("/cadre/cases/{ref}", "/cadre/cards/{card_id}"),
        frozenset(Standing) - _BY_THE_SYSTEM - {Standing.REPORTER},
    ),
    "citizen": Face(PHONES, ("/reports/{ref}",), frozenset({Standing.REPORTER})),
}  # fmt: skip


@pytest.mark.parametrize("face", FACES.values(), ids=FACES)
def test_every_offered_action_has_an_operation(face: Face) -> None:
    assert face.offers()
    assert face.without_operation() == set()


def test_offered_action_without_its_operation_is_found() -> None:
    for name, face in FACES.items():
        for action in face.offers():
            document = copy.copy(face.document)
            document["paths"] = dict(document["paths"])
            del document["paths"][face.path(action)]
            less = Face(document, face.prefixes, face.standings)
            assert less.without_operation() == {action}, name


def test_citizen_has_no_other_standing_than_the_face_counts_with() -> None:
    dossier = case_of_the_village(AssignmentRole.LEAD)
    assert dossier.case.citizen_id is not None
    by = CitizenActor(dossier.case.citizen_id, None)
    assert access.situation(dossier, by, NOW).standings == FACES["citizen"].standings


def test_action_takes_the_same_input_on_each_face() -> None:
    """Fields, lengths, descriptions and examples."""
    compared = 0
    for action in Action:
        taken = {
            name: plain(face.document, told(face, action))
            for name, face in FACES.items()
            if face.path(action) and action in face.offers()
        }
        first = next(iter(taken.values()), None)
        assert all(one == first for one in taken.values()), action
        compared += len(taken) > 1
    assert compared > 15


def test_action_answers_the_same_problems_on_each_face() -> None:
    """But for what a face asks of every request: a key, a village's post, so many requests a day."""
    compared = 0
    for one in CASE_ACTIONS:
        answered = {
            name: refusals(face, one.action) - OF_THE_FACE
            for name, face in FACES.items()
            if face.path(one.action)
        }
        first = answered["desk"]
        assert {problem.type for problem in one.problems} - OF_THE_FACE <= first
        assert all(types == first for types in answered.values()), one.action
        compared += len(answered) > 1
    assert compared > 15


def test_case_action_is_declared_once_and_has_no_other_operation() -> None:
    """What the lifecycle offers is declared, and nothing else under a case is the name of an action."""
    declared = [one.action for one in CASE_ACTIONS]
    assert len(declared) == len(set(declared))
    of_cards = {Action.CARD, Action.APPEAL, Action.DECIDE_APPEAL}
    assert set(declared) == (FACES["desk"].offers() | FACES["citizen"].offers()) - of_cards
    for name, face in FACES.items():
        offered = {one.action for one in CASE_ACTIONS if MOUNTED[name].words(one) is not None}
        posted = {action for action in Action if face.path(action)} - of_cards
        assert posted == offered == face.offers() - of_cards, name


def test_person_helped_is_told_the_same_way_on_both_faces() -> None:
    at_desk = plain(DESK, DESK["components"]["schemas"]["Report"])["properties"]["person"]
    on_phone = plain(PHONES, PHONES["components"]["schemas"]["OnBehalf"])["properties"]["person"]
    assert at_desk["anyOf"][0] == on_phone


def operation(face: Face, action: Action) -> dict[str, Any]:
    path = face.path(action)
    found: dict[str, Any] = face.document["paths"][path]["post"]
    return found


def told(face: Face, action: Action) -> Any:
    body = operation(face, action).get("requestBody")
    return None if body is None else body["content"]["application/json"]["schema"]


def refusals(face: Face, action: Action) -> set[str]:
    """The types of the problems that the operation may answer."""
    answers = operation(face, action)["responses"].values()
    contents = [one["content"].get("application/problem+json", {}) for one in answers]
    return {named for one in contents for named in one.get("examples", {})}


def plain(document: dict[str, Any], schema: Any) -> Any:
    """A schema with what it refers to in place."""
    if isinstance(schema, list):
        return [plain(document, one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        named = schema["$ref"].rpartition("/")[2]
        return plain(document, document["components"]["schemas"][named])
    return {name: plain(document, one) for name, one in schema.items()}


def case_of_the_village(role: AssignmentRole) -> Dossier:
    """A case in which one village holds, entered, takes part and owes a supervised reply."""
    case = row(
        Case,
        id=uuid4(),
        county_id=1,
        first_unit_id=OWN,
        entered_by_unit_id=OWN,
        citizen_id=uuid4(),
        kind=Kind.HELP,
        phase=Phase.HANDLING,
        holder_unit_id=OWN,
    )
    part = row(
        Assignment,
        id=uuid4(),
        role=role,
        unit_id=OWN,
        given_by_unit_id=OTHER,
        state=AssignmentState.SIGNED,
        assigned_at=NOW,
    )
    supervised = row(Clock, id=uuid4(), stage=Stage.SUPERVISED_REPLY, unit_id=OWN)
    above = Place(OTHER, "街道", UnitKind.TOWNSHIP)
    timing = Timing(WorkingCalendar(0), NOTHING_SET)
    holder = Place(OWN, "村", UnitKind.VILLAGE)
    matter = row(Matter, id=case.id, head_seq=1)
    return Dossier(matter, case, holder, above, [part], [supervised], timing, {}, frozenset())


def row(table: Any, **values: Any) -> Any:
    """A row that says nothing where nothing is asked."""
    unsaid = {name for name, one in table.model_fields.items() if one.is_required()}
    return table(**dict.fromkeys(unsaid) | values)
