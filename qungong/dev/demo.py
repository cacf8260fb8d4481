"""`qungong demo`: plays the county's own story through the public HTTP APIs and shows it from three sides.

Stands in for the people only: what they see comes from the same answers a browser or phone would get.
"""

import asyncio
import re
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy import text

from app.db import Database, snapshot
from app.evaluation import privacy_role
from app.kinds import verification
from app.settings import settings
from qungong.dev.local import local_folder
from qungong.dev.sample import PASSWORD
from qungong.dev.serving import HOST, ROOT, Ports
from sms.providers import capabilities

T = TypeVar("T")

READY_SECONDS = 90
TEXT_SECONDS = 60
SURVEY_REPLY = "满意"
_CODE = re.compile(r"验证码(\d+)")
_VILLAGE = "500153003007"
_EVALUATED = text("""
SELECT count(*) FROM surveys.answer a JOIN surveys.survey s ON s.id = a.survey_id
JOIN grievance c ON c.id = s.matter_id WHERE c.ref = :ref AND a.value = 'satisfied'
""")
_REPORT = {
    "title": "13至17栋没有饮用水",
    "body": "居民来电：工农茶叶产业社区13栋至17栋三天没有自来水，老人小孩要到外面提水。",
    "kind": "help",
    "place": "工农茶叶产业社区13至17栋",
}
_LEAD = {"unit_code": "500153100", "task": "恢复13至17栋供水", "days": 7}
_ASSISTANTS = [{"unit_code": "500153D11", "task": "检修供水管网，提供技术支持", "days": 5}]


class StepFailed(RuntimeError):
    """A step of the story did not hold."""


@dataclass
class Story:
    """What has been seen so far."""

    phone: str
    reference: str = ""
    tracking_code: str = ""
    ended_as: str = ""
    lead: str = ""
    assistants: list[str] = field(default_factory=list)
    entered_by_unit: str = ""
    first_unit: str = ""
    timeline: list[dict[str, Any]] = field(default_factory=list)
    as_resident: list[dict[str, Any]] = field(default_factory=list)
    as_supervisor: list[dict[str, Any]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    survey_recorded: bool = False
    chain_verified: bool = False

    def summary(self) -> dict[str, Any]:
        return {
            "reference": self.reference,
            "tracking_code": self.tracking_code,
            "phase": self.ended_as,
            "lead": self.lead,
            "assistants": self.assistants,
            "entered_by_unit": self.entered_by_unit,
            "first_unit": self.first_unit,
            "timeline": [
                {key: step[key] for key in ("action", "unit", "at")} for step in self.timeline
            ],
            "texts_sent": len(self.texts),
            "texts": self.texts,
            "survey_recorded": self.survey_recorded,
            "chain_verified": self.chain_verified,
        }


class Desk:
    """A member of staff at the staff API, or a cadre on a phone."""

    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {token}"}

    @classmethod
    async def sign_in(cls, client: httpx.AsyncClient, account: str) -> "Desk":
        answer = await client.post(
            "/api/v1/sessions", json={"account": account, "password": PASSWORD}
        )
        return cls(client, _held(answer)["token"])

    async def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        key = {"Idempotency-Key": secrets.token_hex(12)}
        return _held(await self.client.post(path, json=body, headers=self.headers | key))

    async def get(self, path: str) -> dict[str, Any]:
        return _held(await self.client.get(path, headers=self.headers))


def run(ports: Ports, *, console: Console, linger: bool) -> Story:
    """Raises StepFailed where the story does not go as it should. With `linger`, waits so that links can be opened."""
    return asyncio.run(_run(ports, console, linger=linger))


async def _run(ports: Ports, console: Console, *, linger: bool) -> Story:
    web, phones = f"http://{HOST}:{ports.http}", f"http://{HOST}:{ports.sms}"
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    async with _running(ports, web, console), httpx.AsyncClient(base_url=web, timeout=20) as client:
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task("")

            def now(what: str) -> None:
                progress.update(task, description=what)

            async with httpx.AsyncClient(base_url=phones, timeout=20) as simulator:
                story = await play(client, simulator, now)
        _print(story, console, web, phones)
        if linger:
            console.print("按回车结束 · press Enter to stop")
            await asyncio.to_thread(sys.stdin.readline)
    return story


Tell = Callable[[str], None]


async def play(client: httpx.AsyncClient, simulator: httpx.AsyncClient, now: Tell) -> Story:
    """Five people, each through their own session."""
    story = Story(phone=f"+861398{secrets.randbelow(10**7):07d}")
    cadre, township = (
        await Desk.sign_in(client, "gongnong"),
        await Desk.sign_in(client, "guangshun"),
    )
    center, lead = await Desk.sign_in(client, "zhihui"), await Desk.sign_in(client, "ronglong")
    assistant = await Desk.sign_in(client, "shuiwu")
    await _up_to_the_county(story, cadre, township, now)
    await _solved(story, center, lead, assistant, now)
    await _evaluated(story, client, simulator, now)
    await _looked_at(story, client, lead, center)
    story.chain_verified = await _record_holds(story.reference)
    _expect(story.chain_verified, "the record does not verify")
    return story


async def _up_to_the_county(story: Story, cadre: Desk, township: Desk, now: Tell) -> None:
    now("居民来电，社区干部登记 · the resident phones, the cadre enters it")
    case = await cadre.post(
        "/m/v1/cadre/cases", _REPORT | {"person": {"name": "王大爷", "phone": story.phone}}
    )
    story.reference, story.tracking_code = case["ref"], case["tracking_code"]
    now("社区、街道研判上报 · community and sub-district judge and escalate")
    await cadre.post(
        f"/m/v1/cadre/cases/{story.reference}/escalate", {"finding": "社区没有供水设施的维修能力"}
    )
    await township.post(
        f"/api/v1/cases/{story.reference}/escalate",
        {"finding": "已核实：水源与管网在荣隆镇，街道无法协调"},
    )


async def _solved(story: Story, center: Desk, lead: Desk, assistant: Desk, now: Tell) -> None:
    ref = f"/api/v1/cases/{story.reference}"
    now("指挥中心交办 · the command center names lead and assistant")
    given = await center.post(
        f"{ref}/dispatch",
        {"lead": _LEAD, "assistants": _ASSISTANTS, "note": "一周内办结，每日通报"},
    )
    story.lead = next(part["unit"] for part in given["parts"] if part["role"] == "lead")
    story.assistants = [part["unit"] for part in given["parts"] if part["role"] == "assist"]
    now("签收、办理、答复 · both sign, work and answer")
    await lead.post(f"{ref}/sign")
    await assistant.post(f"{ref}/sign")
    await lead.post(
        f"{ref}/progress",
        {"report": "已找到漏点，正在更换主管道，先送水车到小区", "tell_reporter": True},
    )
    await assistant.post(f"{ref}/assist-answer", {"answer": "管网已检修，水压正常"})
    answered = await lead.post(
        f"{ref}/answer", {"outcome": "solved", "answer": "13至17栋已恢复供水，水质检测合格。"}
    )
    story.ended_as = answered["phase"]
    _expect(story.ended_as == "answered", f"the case should be answered, it is {story.ended_as}")


async def _evaluated(
    story: Story, client: httpx.AsyncClient, simulator: httpx.AsyncClient, now: Tell
) -> None:
    now("系统发出评价短信 · the system texts the survey")
    story.texts = await _until(
        lambda: _texts(simulator, story.phone),
        lambda found: any("是否满意" in one for one in found),
    )
    if capabilities().two_way:
        now("居民回复 · the resident replies")
        _held(await simulator.post(f"/phones/{story.phone}/reply", json={"text": SURVEY_REPLY}))
    else:
        now("短信不能回复，居民登录网页评价 · the resident evaluates on the page")
        await _evaluated_on_the_page(story, client, simulator)
    story.survey_recorded = bool(
        await _until(lambda: _evaluations(story.reference), lambda number: number == 1)
    )


async def _evaluated_on_the_page(
    story: Story, client: httpx.AsyncClient, simulator: httpx.AsyncClient
) -> None:
    phone = {"phone": story.phone}
    _held(await client.post("/m/v1/sign-up/code", json=phone))
    story.texts = await _until(
        lambda: _texts(simulator, story.phone),
        lambda found: any("验证码" in one for one in found),
    )
    (code,) = (found[1] for one in story.texts if (found := _CODE.search(one)))
    proof = phone | {"code": code, "village": _VILLAGE}
    token = _held(await client.post("/m/v1/sign-up/verify", json=proof))["token"]
    resident = Desk(client, token)
    await resident.post(f"/m/v1/reports/{story.reference}/evaluate", {"value": "satisfied"})


async def _looked_at(story: Story, client: httpx.AsyncClient, lead: Desk, center: Desk) -> None:
    asked = {"ref": story.reference, "code": story.tracking_code}
    story.as_resident = _held(await client.post("/m/v1/track", json=asked))["timeline"]
    handling = await lead.get(f"/api/v1/cases/{story.reference}")
    supervising = await center.get(f"/api/v1/cases/{story.reference}")
    story.timeline, story.as_supervisor = handling["timeline"], supervising["timeline"]
    story.entered_by_unit, story.first_unit = handling["entered_by_unit"], handling["first_unit"]


def _held(answer: httpx.Response) -> dict[str, Any]:
    if answer.status_code >= 300:
        raise StepFailed(
            f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text[:500]}"
        )
    held: dict[str, Any] = answer.json()
    return held


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise StepFailed(otherwise)


async def _texts(simulator: httpx.AsyncClient, phone: str) -> list[str]:
    inbox = _held(await simulator.get(f"/phones/{phone}"))
    return [message["text"] for message in inbox["messages"] if message["direction"] == "out"]


async def _evaluations(ref: str) -> int:
    on = Database(settings().database_url, pool_size=1, role=privacy_role.ROLE)
    try:
        async with snapshot(on) as tx:
            found: int = await tx.scalar(_EVALUATED, ref=ref)
            return found
    finally:
        await on.close()


async def _until(ask: Callable[[], Awaitable[T]], enough: Callable[[T], bool]) -> T:
    for _ in range(TEXT_SECONDS * 2):
        found = await ask()
        if enough(found):
            return found
        await asyncio.sleep(0.5)
    raise StepFailed("the text message did not come in time")


async def _record_holds(ref: str) -> bool:
    on = Database(settings().database_url, pool_size=1)
    try:
        async with snapshot(on) as tx:
            faults = [fault async for _, found in verification.verify(tx) for fault in found]
            return all(fault.ref != ref for fault in faults)
    finally:
        await on.close()


@asynccontextmanager
async def _running(ports: Ports, web: str, console: Console) -> AsyncIterator[None]:
    """Everything up: what runs already is used, what does not is started for the length of the story."""
    if await _ready(web):
        yield
        return
    log = local_folder(ROOT) / "demo.log"
    argv = [
        sys.executable,
        "-m",
        "qungong",
        "serve",
        "--port",
        str(ports.http),
        "--sms-port",
        str(ports.sms),
    ]
    with log.open("wb") as output:
        served = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output)  # noqa: S603, ASYNC220 - our own command, once
        try:
            with console.status("启动系统 · starting everything"):
                await _wait_until_ready(web, served, log)
            yield
        finally:
            served.terminate()
            await asyncio.to_thread(served.wait)


async def _wait_until_ready(web: str, served: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(READY_SECONDS * 2):
        if await _ready(web):
            return
        if served.poll() is not None:
            raise StepFailed(f"starting failed:\n{_end_of(log)}")
        await asyncio.sleep(0.5)
    raise StepFailed(f"not ready after {READY_SECONDS} s, see {log}")


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]


async def _ready(web: str) -> bool:
    try:
        async with httpx.AsyncClient(timeout=5) as client:
            return (await client.get(f"{web}/ready")).status_code == 200
    except httpx.HTTPError:
        return False


def _print(story: Story, console: Console, web: str, phones: str) -> None:
    console.print(
        f"\n[bold]{story.reference}[/]  主办 {story.lead}，协办 {'、'.join(story.assistants)}\n"
    )
    console.print(_table("群众看到的 · as the resident sees it", story.as_resident, who=False))
    console.print(_table("办理单位看到的 · as the handling unit sees it", story.timeline, who=True))
    console.print(
        _table("指挥中心看到的 · as the supervising unit sees it", story.as_supervisor, who=True)
    )
    for number, body in enumerate(story.texts, start=1):
        console.print(f"短信 {number}：{body}")
    how = "群众回复" if capabilities().two_way else "群众在网页上评价"
    console.print(f"{how}：{SURVEY_REPLY}（办理单位看不到 · the handling side never sees it）")
    console.print(
        f"\n接口 · staff API {web}/api/v1/docs\n手机 · phones {phones}\n海报 · poster {web}/q/{_VILLAGE}"
    )
    console.print(f"查询码 · tracking code {story.tracking_code}\n")


def _table(title: str, steps: list[dict[str, Any]], *, who: bool) -> Table:
    table = Table(title=title, title_justify="left")
    for column in ("时间", "做了什么", "单位", *(("经办人",) if who else ()), "内容"):
        table.add_column(column, overflow="fold")
    for step in steps:
        words = "；".join(step["texts"].values()) if step["action"] != "register" else ""
        staff = (step.get("staff") or "",) if who else ()
        table.add_row(
            step["at"][5:16].replace("T", " "), step["label"], step["unit"] or "", *staff, words
        )
    return table
