"""What pgbench does on the same server in the same run: the measure of everything that `make bench` reports.

A rate alone says how fast or busy the machine is. The ratio to pgbench, which sends the least SQL for the same rows, says
what our code costs.
"""

import os
import re
import subprocess
from pathlib import Path
from typing import Final

from qungong.dev.embedded import Postgres

_SCRIPTS: Final = Path(__file__).parent / "pgbench"
# Steady CPU work without tables: how fast the machine is at this moment.
MACHINE: Final = "machine"


def transactions(
    postgres: Postgres,
    database: str,
    script: str,
    *,
    seconds: float,
    connections: int,
    **variables: str | int,
) -> float:
    """Transactions a second of loadtests/pgbench/<script>.sql, prepared, over so many connections."""
    defined = [part for name, value in variables.items() for part in ("-D", f"{name}={value}")]
    argv = [
        str(postgres.program("pgbench")), "-n", "-M", "prepared", "-c", str(connections), "-j", "2",
        "-T", str(max(1, round(seconds))), *defined, "-f", str(_SCRIPTS / f"{script}.sql"),
        "-h", str(postgres.socket_folder()), "-U", "postgres", database,
    ]  # fmt: skip
    # With the application's setting.
    environment = os.environ | {"PGOPTIONS": "-c plan_cache_mode=force_generic_plan"}
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - the bundled pgbench
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    if done.returncode != 0 or found is None or "aborted" in done.stderr:
        raise SystemExit(f"pgbench {script} failed: {done.stdout}{done.stderr}")
    return float(found[1])
