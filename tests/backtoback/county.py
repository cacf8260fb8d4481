"""What happened in the county before the histories begin: in every unit that they are about, nine people have answered.

So with the one whose answer differs there are ten, one short of what is told when the month is released. Elsewhere eleven
have answered: that there is something to be told. And a unit has ended.
"""

from datetime import timedelta
from typing import Final

from starlette.types import ASGIApp

from tests.backtoback import histories, worlds
from tests.backtoback.histories import ENDED, Case, History, Scene
from tests.backtoback.worlds import Ground

# The Friday before; in the same month.
BEGINS: Final = timedelta(days=-3)
_SAID: Final = {
    # The village and its township are told of together.
    "village": ("满意",) * 4,
    "township": ("基本满意", "不满意", "满意", "满意", "满意"),
    "center to lead": ("满意", "基本满意", "满意") * 3,
    "center to department": (
        "满意",
        "基本满意",
        "满意",
        "满意",
        "满意",
        "不满意",
        "不满意",
        "不满意",
        "不满意",
    ),
    "center elsewhere": ("满意",) * 5 + ("基本满意",) + ("不满意",) * 5,
}


async def prepare(server: str, migrated: str, template: str, app: ASGIApp) -> Ground:
    """The ground of all worlds, made from a migrated, empty database."""
    ground = await worlds.prepare(server, migrated, template)
    people = iter(range(100))
    told = [
        Case.answered(route, f"resident {next(people)}", says)
        for route, said in _SAID.items()
        for says in said
    ]
    async with ground.itself(begins=BEGINS) as world:
        scene = Scene(world, app, ground, History("county", told))
        await histories.played(scene)
        end = {"last_day": "2026-06-04"}
        done = await scene.does("admin", f"/api/v1/units/{ENDED}/end", end, seed="end")
        assert done.status == 200, done
        await scene.time_passes(timedelta(hours=1), seed="handed over")
    return ground
