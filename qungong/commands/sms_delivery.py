"""`qungong sms status` and `probe`: how the delivery of text messages stands, and a person's word that the provider works again. Sends nothing."""

import asyncio
import json
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from app.clock import SHANGHAI
from app.db import Database, snapshot, transaction
from app.settings import settings
from app.texts import channel
from app.texts.outbox import MessageState
from app.texts.stats import Overview, overview
from app.texts.terms import kind_in_chinese, why_in_chinese
from qungong.dev import serving
from qungong.dev.local import local_services

_STATES = {
    MessageState.QUEUED: "待发",
    MessageState.SENDING: "发送中",
    MessageState.UNKNOWN: "结果不明",
    MessageState.NEEDS_HUMAN: "需人工处理",
    MessageState.ACCEPTED: "已交服务商",
    MessageState.DELIVERED: "已送达",
    MessageState.UNDELIVERED: "未送达",
    MessageState.FAILED: "未发出",
    MessageState.EXPIRED: "过期未发",
    MessageState.DONE: "人工已处理",
}


def status(
    as_json: Annotated[
        bool, typer.Option("--json", help="只输出一个 JSON 对象 · print one JSON object")
    ] = False,
) -> None:
    """What is queued, under way, unknown and needs a person; the channel; the last day.

    Exit 1 where a person is needed: also where a worker is silent, or a text has been due for five minutes.
    """
    with local_services(serving.ROOT):
        found = asyncio.run(_overview())
    if as_json:
        typer.echo(json.dumps(as_object(found), ensure_ascii=False))
    else:
        report(found, Console(highlight=False))
    raise typer.Exit(1 if found.needs_person else 0)


def probe() -> None:
    """Say that the provider should work again: the next text goes out at once, as a probe. Exit 1 where nothing was paused."""
    with local_services(serving.ROOT):
        told = asyncio.run(_probe_now())
    Console(highlight=False).print(
        "马上试发 · a probe goes out now" if told else "没有暂停 · nothing was paused"
    )
    raise typer.Exit(0 if told else 1)


def as_object(found: Overview) -> dict[str, Any]:
    own = found.channel
    return {
        "needs_person": found.needs_person,
        "workers": {
            name: "silent" if name in found.pace.silent else "ok" for name in found.pace.heard
        },
        "oldest_overdue_seconds": round(found.pace.overdue),
        "channel": {
            "provider": settings().sms_provider,
            "rate": settings().sms_rate,
            "paused": found.paused,
            "why": own.paused_why if own else None,
            "error": own.error if own else None,
            "since": _moment(own.paused_since if own else None),
            "until": _moment(own.paused_until if own else None),
        },
        "open": [
            {
                "state": one.state,
                "kind": one.kind,
                "messages": one.messages,
                "oldest": _moment(one.oldest),
            }
            for one in found.open
        ],
        "needs_human": {str(why): messages for why, messages in found.whys.items()},
        "never_reported": found.never_reported,
        "last_day": {str(state): messages for state, messages in found.last_day.items()},
    }


def report(found: Overview, console: Console) -> None:
    console.print(_channel_line(found))
    for worker in found.pace.silent:
        console.print(
            f"[red]✗[/] 后台进程 {worker} 没有响应：请检查它是否在运行 · worker is silent",
            markup=True,
        )
    if found.pace.late:
        age = _age(timedelta(seconds=found.pace.overdue))
        console.print(f"[red]✗[/] 最早一条待发短信已超时 {age}，仍未发出 · texts are late")
    table = Table("状态", "短信", "条数", "最早")
    for one in found.open:
        age = _age(found.at - one.oldest)
        table.add_row(_STATES[one.state], kind_in_chinese(one.kind), f"{one.messages:,}", age)
    if found.open:
        console.print(table)
    for why, messages in found.whys.items():
        console.print(f"[red]需人工处理[/] {messages:,} 条：{why_in_chinese(why)}")
    if found.whys:
        console.print(
            "逐条处理 · see to them: /api/v1/texts（县指挥中心；检举控告的，由承办单位的督查员）"
        )
    if found.never_reported:
        console.print(
            f"[yellow]未收到回执[/] 近七天 {found.never_reported:,} 条已交服务商，是否送达无法查明：请核对回执地址和服务商的状态"
        )
    told = "，".join(f"{_STATES[state]} {messages:,}" for state, messages in found.last_day.items())
    console.print(f"近一天 · last day: {told or '无 · none'}")


def _channel_line(found: Overview) -> str:
    rate = f"每秒 {settings().sms_rate:g} 条" if settings().sms_rate else "不限速"
    own = found.channel
    if own is None or own.paused_why is None:
        return f"[green]✓[/] {settings().sms_provider}：正常，{rate}"
    assert own.paused_until is not None, "the table says so"
    return (
        f"[red]✗[/] {settings().sms_provider}：{own.paused_why.chinese}（{own.error}），自 {_local(own.paused_since)} 暂停，"
        f"{_local(own.paused_until)} 试发一条；修复后可运行 qungong sms probe"
    )


def _age(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    if minutes < 60:
        return f"{minutes} 分钟"
    return f"{minutes // 60} 小时" if minutes < 48 * 60 else f"{minutes // 1440} 天"


def _local(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment.astimezone(SHANGHAI):%m-%d %H:%M:%S}"


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(SHANGHAI).isoformat(timespec="seconds")


async def _overview() -> Overview:
    on = Database(settings().database_url, pool_size=1)
    try:
        async with snapshot(on) as tx:
            return await overview(tx, settings().sms_provider)
    finally:
        await on.close()


async def _probe_now() -> bool:
    on = Database(settings().database_url, pool_size=1)
    try:
        async with transaction(on) as tx:
            return await channel.probe_now(tx, settings().sms_provider)
    finally:
        await on.close()
