"""`qungong sms`: the text messages' words as the provider approves them. Sends nothing."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.clock import SHANGHAI
from app.db import Database, Transaction, transaction
from app.errors import NothingChanged
from app.settings import settings
from app.texts import approvals
from app.texts.approvals import TextTemplate
from qungong.commands import sms_delivery
from qungong.dev import serving
from qungong.dev.local import local_services
from sms.providers import capabilities
from sms.templates import Application, applications, register, unfit

app = typer.Typer(help="短信 · text messages", no_args_is_help=True)

# As which of the provider's kinds of place one applies for it.
_PLACES = {"code": "数字与字母", "ref": "编号", "primary": "编号", "paper": "编号", "until": "时间"}


app.command("status")(sms_delivery.status)
app.command("probe")(sms_delivery.probe)


@app.command("templates")
def show_templates(
    apply: Annotated[
        bool, typer.Option("--apply", help="按报审的格式列出 · as one applies for approval")
    ] = False,
    approve: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND=CODE", help="登记已通过 · note an approval"),
    ] = None,
    reject: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND=REASON", help="登记未通过 · note a rejection"),
    ] = None,
    withdraw: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND=REASON", help="撤回 · back to pending"),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="只输出一个 JSON 对象 · print one JSON object")
    ] = False,
) -> None:
    """Show which texts the provider has approved, note what it said; exit 1 while one of them is not approved."""
    console = Console(stderr=as_json, highlight=False)
    if apply:
        _print_applications(as_json=as_json)
        return
    if capabilities().free_text:
        console.print(
            f"{settings().sms_provider}：不需要报审模板 · no templates to approve", markup=False
        )
        return
    noted = [
        *((approvals.approve, *_split(one)) for one in approve or ()),
        *((approvals.reject, *_split(one)) for one in reject or ()),
        *((approvals.withdraw, *_split(one)) for one in withdraw or ()),
    ]
    with local_services(serving.ROOT):
        found = [one for one in asyncio.run(_noted(noted)) if one.current]
    if as_json:
        typer.echo(json.dumps([_as_object(one) for one in found], ensure_ascii=False))
    else:
        console.print(_table(found))
    raise typer.Exit(0 if all(one.approval == "approved" for one in found) else 1)


_Note = Callable[..., Awaitable[TextTemplate]]


async def _noted(noted: Sequence[tuple[_Note, str, str]]) -> Sequence[TextTemplate]:
    provider = settings().sms_provider
    on = Database(settings().database_url, pool_size=1)
    try:
        async with transaction(on) as tx:
            await register(tx, provider, capabilities())
        async with transaction(on) as tx:
            known = {one.kind: one for one in await approvals.listed(tx, provider) if one.current}  # fmt: skip
            for note, kind, said in noted:
                await _note(tx, note, known, kind, said)
        async with transaction(on) as tx:
            return await approvals.listed(tx, provider)
    finally:
        await on.close()


async def _note(
    tx: Transaction, note: _Note, known: dict[str, TextTemplate], kind: str, said: str
) -> None:
    if kind not in known:
        raise typer.BadParameter(f"没有这种短信 · no such text: {kind}")
    now: datetime = await tx.now()
    try:
        await note(tx, known[kind].id, said, staff_id=None, now=now)
    except NothingChanged:
        return


def _split(written: str) -> tuple[str, str]:
    kind, _, said = written.partition("=")
    if not kind or not said.strip():
        raise typer.BadParameter("须写作 种类=内容 · write KIND=…, e.g. receipt=SMS_154950909")
    return kind.strip(), said.strip()


def _print_applications(*, as_json: bool) -> None:
    told = applications(capabilities())
    if as_json:
        typer.echo(json.dumps([_application(one) for one in told], ensure_ascii=False))
        return
    for one in told:
        typer.echo(
            f"模板名称：{settings().sms_signature} {one.kind}\n"
            f"模板类型：{'验证码' if one.one_time_code else '通知短信'}\n"
            f"签名：{settings().sms_signature}\n模板内容：{one.words}"
        )
        for name, most in one.values.items():
            typer.echo(f"  变量 ${{{name}}}：{_place(name, one)}，不超过 {most} 字")
        wrong = unfit(one.words, capabilities())
        if wrong is not None:
            typer.echo(f"  ✗ 不能报审：{wrong}")
        typer.echo("")


def _application(one: Application) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "type": "验证码" if one.one_time_code else "通知短信",
        "signature": settings().sms_signature,
        "words": one.words,
        "values": [
            {"name": name, "about": _place(name, one), "at_most": most}
            for name, most in one.values.items()
        ],
        "unfit": unfit(one.words, capabilities()),
    }


def _place(name: str, one: Application) -> str:
    return "仅数字" if one.one_time_code else _PLACES.get(name, "其他")


def _as_object(one: TextTemplate) -> dict[str, Any]:
    shown = ("kind", "words", "approval", "template_code", "reason")
    return {name: getattr(one, name) for name in shown} | {"changed_at": one.changed_at.isoformat()}


def _table(found: Sequence[TextTemplate]) -> Table:
    table = Table(title=f"短信模板 · {settings().sms_provider}", title_justify="left")
    for column in ("种类", "审核", "模板 CODE", "内容", "登记"):
        table.add_column(column, overflow="fold")
    for one in found:
        colour = {"approved": "green", "pending": "yellow", "rejected": "red"}[one.approval]
        table.add_row(
            one.kind,
            f"[{colour}]{one.approval.chinese}[/]",
            one.template_code or "",
            escape(one.words + (f"（{one.reason}）" if one.reason else "")),
            f"{one.changed_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
        )
    return table
