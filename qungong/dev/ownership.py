"""Which account the embedded servers run as when we are root: PostgreSQL refuses root. Else: ourselves."""

import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

_NAME = "pgserver"


@dataclass(frozen=True)
class Account:
    uid: int
    gid: int


def account_for(path: Path) -> Account | None:
    """None: as ourselves. As root: the account that already owns `path`, else one made for the purpose."""
    if os.geteuid() != 0:
        return None
    if path.exists() and path.stat().st_uid != 0:
        return Account(path.stat().st_uid, path.stat().st_gid)
    try:
        found = pwd.getpwnam(_NAME)
    except KeyError:
        _create()
        found = pwd.getpwnam(_NAME)
    return Account(found.pw_uid, found.pw_gid)


def _create() -> None:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is None:
        raise PermissionError(
            "不能以 root 运行内置数据库：请换普通用户，或设置 DATABASE_URL 与 REDIS_URL。\n"
            "The embedded database cannot run as root here (no useradd): use an ordinary user, or set DATABASE_URL "
            "and REDIS_URL."
        )
    subprocess.run(  # noqa: S603 - found in the system's own folders
        [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _NAME],
        check=False,  # two runs may create it at once; getpwnam decides
        capture_output=True,
    )


def hand_over(folder: Path | None, account: Account, *, binaries: Path) -> None:
    """Let the account own `folder` and run `binaries`, opening no more than it needs on the way there."""
    _let_read(binaries)
    _let_pass(binaries, account)
    if folder is not None:
        _let_pass(folder, account)
        if folder.stat().st_uid != account.uid:
            os.chown(folder, account.uid, account.gid)


def _let_pass(path: Path, account: Account) -> None:
    """Add the right to pass through (not to list) to those parents that lack it, such as /root."""
    for parent in path.resolve().parents:
        facts = parent.stat()
        if facts.st_uid == account.uid:
            passable = bool(facts.st_mode & stat.S_IXUSR)
        elif facts.st_gid == account.gid:
            passable = bool(facts.st_mode & stat.S_IXGRP)
        else:
            passable = bool(facts.st_mode & stat.S_IXOTH)
        if not passable:
            parent.chmod(stat.S_IMODE(facts.st_mode) | stat.S_IXOTH)
            if not parent.is_relative_to(tempfile.gettempdir()):
                sys.stderr.write(
                    f"· chmod o+x {parent}：内置数据库的账号须能经过 · for the embedded database's account\n"
                )


def _let_read(package: Path) -> None:
    """A strict umask at installation leaves the binaries and their libraries readable to root only."""
    everyone = stat.S_IRGRP | stat.S_IROTH
    for tree in (package, package.with_name(package.name + ".libs")):
        if not tree.exists() or tree.stat().st_mode & everyone == everyone:
            continue
        for path in (
            *tree.rglob("*"),
            tree,
        ):  # the root of the tree last: it says that the rest is done
            mode = stat.S_IMODE(path.stat().st_mode)
            executable = stat.S_IXGRP | stat.S_IXOTH if mode & stat.S_IXUSR else 0
            path.chmod(mode | everyone | executable)
