"""Small histories of a county, drawn by chance, and the ways in which one resident may answer. Knows no database."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode
from zlib import crc32

from structlog.testing import capture_logs

from app.settings import settings
from tests.backtoback.asking import Reply, ask
from tests.backtoback.worlds import PHONES, VILLAGE_PHONE, Ground, World
from tests.sms.test_inbound import signature
from workers.deadlines import Deadlines

VILLAGE, TOWNSHIP, LEAD, ASSISTANT = "500153003007", "500153003", "500153100", "500153D11"
# Where nothing happens that is compared.
ELSEWHERE, ENDED = "500153005", "500153005001"
ANSWER: Final = {"outcome": "solved", "answer": "已恢复供水", "basis": "条例"}
# How a case may go until it is answered: who does what (and to whom). The last does the answering.
ROUTES: Final = {
    "village": ("gongnong handle", "gongnong progress", "gongnong answer"),
    "township": ("gongnong escalate", "guangshun handle", "guangshun answer"),
    "county": (
        "gongnong escalate", "guangshun escalate", "zhihui dispatch", "ronglong sign", "shuiwu sign",
        "shuiwu assist-answer", "ronglong answer",
    ),
    "department": (
        "gongnong escalate", "guangshun escalate", "zhihui dispatch to-department", "shuiwu sign", "lingdao press",
        "shuiwu answer",
    ),
    # An accusation: nobody but the inspectors of the discipline commission knows of it.
    "sealed": ("jiwei handle", "jiwei answer"),
}  # fmt: skip
# The command center handles it itself.
CENTER: Final = "center"
BY_ITSELF: Final = {
    CENTER: ("gongnong escalate", "guangshun escalate", "zhihui handle", "zhihui progress", "zhihui answer"),
}  # fmt: skip
# What somebody told the command center.
BY_CENTER: Final = {
    "center to lead": ("zhihui dispatch to-lead", "ronglong sign", "ronglong answer"),
    "center to department": ("zhihui dispatch to-department", "shuiwu sign", "shuiwu answer"),
    "center elsewhere": ("zhihui dispatch elsewhere", "jianzhi sign", "jianzhi answer"),
}
STEPS: Final = ROUTES | BY_CENTER | BY_ITSELF
BODIES: Final[dict[str, Any]] = {
    "handle": None,
    "sign": None,
    "escalate": {"finding": "本级无法解决"},
    "dispatch": {
        "lead": {"unit_code": LEAD, "task": "恢复供水", "days": 7},
        "assistants": [{"unit_code": ASSISTANT, "task": "检修管网"}],
        "note": "一周内办结",
    },
    "dispatch to-department": {"lead": {"unit_code": ASSISTANT, "task": "恢复供水", "days": 7}, "assistants": [], "note": ""},
    "dispatch to-lead": {"lead": {"unit_code": LEAD, "task": "恢复供水", "days": 7}, "assistants": [], "note": ""},
    "dispatch elsewhere": {"lead": {"unit_code": ELSEWHERE, "task": "恢复供水", "days": 7}, "assistants": [], "note": ""},
    "assist-answer": {"answer": "管网已修复"},
    "progress": {"report": "已找到漏点", "tell_reporter": True},
    "press": {"note": "请尽快"},
    "answer": ANSWER,
}  # fmt: skip


@dataclass(slots=True)
class Case:
    """One case as both worlds will have it, once it is registered."""

    route: str
    # "reporter" or "neighbour" by poster, "cadre" for a resident with the reporter's number, "no number" for one without,
    # VILLAGE_PHONE for one who has only the village's; anybody else has a number of their own.
    told_by: str
    steps: int
    # What they text when they are asked, in both worlds; nothing where it is their answer that differs.
    says: str = ""
    ref: str = ""
    code: str = ""

    @classmethod
    def answered(cls, route: str, told_by: str, says: str = "") -> "Case":
        return cls(route, told_by, len(STEPS[route]), says)

    @property
    def sealed(self) -> bool:
        return self.route == "sealed"

    @property
    def phone(self) -> str | None:
        if self.told_by == "no number":
            return None
        known = PHONES["reporter"] if self.told_by == "cadre" else PHONES.get(self.told_by)
        return known or f"+86138961{crc32(self.told_by.encode()) % 100_000:05d}"


@dataclass(slots=True)
class History:
    """What happens in both worlds, case after case; the first is answered, and it is its answer that may differ."""

    seed: str
    cases: list[Case]

    @property
    def subject(self) -> Case:
        return self.cases[0]

    @property
    def caller(self) -> str:
        """Who makes the return calls about the first case, and reads what no machine can."""
        if self.subject.sealed:
            return "jiandu"
        return "ducha" if self.by_center else "zhihui"

    @property
    def by_center(self) -> bool:
        return self.subject.route == CENTER

    @property
    def looker(self) -> str:
        return "jiandu" if self.subject.sealed else "ducha"


_TOLD_BY: Final = ("reporter", "reporter", "cadre", "no number")
_BY_POSTER: Final = ("reporter", "neighbour")
_BY_VILLAGE_PHONE: Final = 0.5
_ALSO_ANSWERED: Final = 0.6
_BY_CENTER: Final = 0.15

Answering = Callable[["Scene"], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Scene:
    """A world in which somebody does something. `seed` names the draws of chance until the next."""

    world: World
    app: Any
    ground: Ground
    history: History

    async def does(
        self, who: str, path: str, body: Any = None, *, seed: str, later: timedelta = timedelta()
    ) -> Reply:
        with self.world.entered(f"{self.history.seed}/{seed}", later=later):
            return await ask(
                self.app,
                "POST",
                path,
                token=self.ground.tokens[who],
                body=body,
                headers={"idempotency-key": seed.replace(" ", "-")},
            )

    async def time_passes(self, later: timedelta, *, seed: str) -> None:
        """What the clock does by itself happens, as often as there is something to do."""
        with self.world.entered(f"{self.history.seed}/{seed}", later=later):
            deadlines = Deadlines()
            with capture_logs() as logged:
                while await deadlines.once():
                    pass
        failed = [entry for entry in logged if entry["log_level"] == "error"]
        assert not failed, failed


def drawn(seed: str) -> History:
    """The reporter's own case, up to two more, some of them not answered yet, and a neighbour's."""
    chance = random.Random(seed)  # noqa: S311 - reproducible, not secret
    route = chance.choice(list(ROUTES))
    told_by = "reporter" if route == "sealed" else chance.choice(_TOLD_BY)
    cases = [Case(route, told_by, len(ROUTES[route]))]
    for _ in range(chance.randrange(3)):
        route = chance.choice([one for one in ROUTES if one != "sealed"])
        steps = len(ROUTES[route])
        done = steps if chance.random() < _ALSO_ANSWERED else chance.randrange(steps)
        cases.append(Case(route, chance.choice(_TOLD_BY), done))
    cases.append(Case("village", "neighbour", chance.randrange(len(ROUTES["village"]) + 1)))
    if not cases[0].sealed and chance.random() < _BY_CENTER:
        cases[0] = Case.answered(CENTER, cases[0].told_by)
    if cases[0].told_by == "no number" and chance.random() < _BY_VILLAGE_PHONE:
        cases[0].told_by = VILLAGE_PHONE
    return History(seed, cases)


async def played(scene: Scene) -> None:
    """All cases, as far as they go, and then the questions that are owed."""
    for number, case in enumerate(scene.history.cases):
        receipt = (await _registered(scene, case, f"{number} register")).told()
        case.ref, case.code = receipt["ref"], receipt["tracking_code"]
        for place, step in enumerate(STEPS[case.route][: case.steps]):
            who, _, action = step.partition(" ")
            path = f"/api/v1/cases/{case.ref}/{action.split()[0]}"
            done = await scene.does(who, path, BODIES[action], seed=f"{number} {place} {action}")
            assert done.status == 200, (step, done)
        # The first is asked about before there is another to ask about: a text without a number means it.
        await scene.time_passes(timedelta(minutes=number + 1), seed=f"{number} asked")
        if case.says:
            await _texts(scene, case, case.says, seed=f"{number} says", later=timedelta(minutes=number + 1))  # fmt: skip


async def _registered(scene: Scene, case: Case, seed: str) -> Reply:
    kind = "accusation" if case.sealed else "help"
    told: dict[str, Any] = {
        "body": "我们小区三天没有自来水，老人小孩都要到外面提水。",
        "kind": kind,
    }
    if case.told_by in _BY_POSTER:
        report = {"unit_code": VILLAGE, **told}
        return await scene.does(case.told_by, "/m/v1/reports", report, seed=seed)
    person: dict[str, Any] = {"name": "王大爷"}
    if case.phone is not None:
        person["phone"] = case.phone
    if case.route in BY_CENTER:
        report = {"title": "没有自来水", **told, "person": person}
        return await scene.does("zhihui", "/api/v1/cases", report, seed=seed)
    return await scene.does("gongnong", "/m/v1/cadre/cases", {**told, "person": person}, seed=seed)


async def silent(_scene: Scene) -> None:
    """No answer."""


def by_text(words: str) -> Answering:
    async def answer(scene: Scene) -> None:
        await _texts(scene, scene.history.subject, words, seed="text", later=timedelta(hours=1))

    return answer


async def _texts(scene: Scene, case: Case, words: str, *, seed: str, later: timedelta) -> None:
    """What the case's reporter texts arrives."""
    assert case.phone is not None
    sid = f"SM{crc32(f'{scene.history.seed}/{seed}'.encode()):032x}"
    fields = [("MessageSid", sid), ("From", case.phone), ("To", "+8610690000"), ("Body", words)]
    path = "/sms/twilio/inbound"
    with scene.world.entered(f"{scene.history.seed}/{seed}", later=later):
        form = {"content-type": "application/x-www-form-urlencoded", "x-twilio-signature": signature(path, fields)}  # fmt: skip
        reply = await ask(scene.app, "POST", path, body=urlencode(fields).encode(), headers=form)
    assert reply.status == 204, reply


def on_the_page(value: str, remark: str | None) -> Answering:
    async def answer(scene: Scene) -> None:
        path = f"/m/v1/reports/{scene.history.subject.ref}/evaluate"
        body = {"value": value, "remark": remark}
        done = await scene.does("reporter", path, body, seed="page", later=timedelta(hours=1))
        assert done.status == 200, done

    return answer


def called(result: str, *, excluded: bool = False, **finding: Any) -> Answering:
    """Whoever is to be called is, and this comes of it. `excluded`: and the command center has it not count."""

    async def answer(scene: Scene) -> None:
        caller = scene.history.caller
        token = scene.ground.tokens[caller]
        with scene.world.entered("looks"):
            calls = (await ask(scene.app, "GET", "/api/v1/return-calls", token=token)).told()
        [mine] = [one for one in calls["items"] if one["ref"] == scene.history.subject.ref]
        path = f"/api/v1/return-calls/{mine['id']}/finding"
        body = {"result": result, "note": "电话回访", **finding}
        done = await scene.does(caller, path, body, seed="call", later=timedelta(hours=2))
        assert done.status == 200, done
        if excluded:
            path, body = f"/api/v1/return-calls/{mine['id']}/exclude", {"reason": "诉求不合理"}
            done = await scene.does(caller, path, body, seed="exclude", later=timedelta(hours=3))
            assert done.status == 201, done

    return answer


def read_by_hand(words: str, reading: str) -> Answering:
    async def answer(scene: Scene) -> None:
        await by_text(words)(scene)
        caller = scene.history.caller
        token = scene.ground.tokens[caller]
        with scene.world.entered("looks"):
            waiting = (await ask(scene.app, "GET", "/api/v1/unread-replies", token=token)).told()
        [mine] = waiting["items"]
        path = f"/api/v1/unread-replies/{mine['id']}/reading"
        done = await scene.does(caller, path, {"reading": reading}, seed="read", later=timedelta(hours=2))  # fmt: skip
        assert done.status == 200, done

    return answer


def both(first: Answering, then: Answering) -> Answering:
    async def answer(scene: Scene) -> None:
        await first(scene)
        await then(scene)

    return answer


async def looked_at(scene: Scene, later: timedelta) -> None:
    """A supervisor looks at what was answered, if anything was."""
    history = scene.history
    body = {"ref": history.subject.ref, "reason": "核对原始评价"}
    path, seed = "/api/v1/answers/looks", f"look {later}"
    done = await scene.does(history.looker, path, body, seed=seed, later=later)
    assert done.status == 200, done


_DISSATISFIED: Final = by_text("不满意，水还是没有")
_OF_ALL: Final = {"no answer": silent}
_OF_WHO_HAS_A_NUMBER: Final = {
    "satisfied by a number": by_text("１"),
    "basically satisfied by text": by_text("基本满意，就是慢了点"),
    "dissatisfied by text": _DISSATISFIED,
    "dissatisfied and called: valid, agreed": both(_DISSATISFIED, called("valid", consent=True)),
    "dissatisfied and called: unreasonable": both(_DISSATISFIED, called("unreasonable")),
    "dissatisfied and not reached": both(_DISSATISFIED, called("not_reached")),
    "satisfied by text": by_text("满意"),
    "thanks": by_text("谢谢"),
    "opted out": by_text("TD"),
    "what nobody can read": by_text("水有了，就是水压不大"),
    "read by hand: dissatisfied": read_by_hand("水压不大", "dissatisfied"),
    "read by hand: none": read_by_hand("水压不大", "not_an_answer"),
    "read by hand: opted out": read_by_hand("不要再发短信了", "opted_out"),
}
# Nothing sealed is in any figure, from which it could be excluded.
_OF_WHAT_IS_COUNTED: Final = {
    "dissatisfied and called: unreasonable, excluded": both(_DISSATISFIED, called("unreasonable", excluded=True)),
}  # fmt: skip
_OF_WHO_SIGNS_IN: Final = {
    "satisfied on the page": on_the_page("satisfied", None),
    "dissatisfied on the page": on_the_page("dissatisfied", "没修好"),
    "satisfied on the page, with a remark": on_the_page("satisfied", "辛苦了"),
}
_WHICH_DOES_NOT_COUNT: Final = {"satisfied by text from the village": by_text("满意")}
_OF_WHO_HAS_NONE: Final = {
    "called: satisfied": called("evaluated", evaluation="satisfied"),
    "called: dissatisfied, valid, agreed": called("valid", consent=True, evaluation="dissatisfied"),
    "not reached": called("not_reached"),
}


def ways(history: History) -> dict[str, Answering]:
    """How the reporter of the first case may answer, by name."""
    if history.subject.told_by == "no number":
        return _OF_ALL | _OF_WHO_HAS_NONE
    if history.subject.told_by == VILLAGE_PHONE:
        return _OF_ALL | _OF_WHO_HAS_NONE | _WHICH_DOES_NOT_COUNT
    # With several questions open a text answers the one that was asked first: the subject's, registered before the others.
    known = _OF_ALL | _OF_WHO_HAS_A_NUMBER | _OF_WHO_SIGNS_IN
    return known if history.subject.sealed else known | _OF_WHAT_IS_COUNTED


WINDOW: Final = timedelta(days=settings().survey_window_days + 1)
# After the day on which June is counted and locked.
MONTH_RELEASED: Final = timedelta(days=30 + settings().month_closing_day - 8 + 1)
