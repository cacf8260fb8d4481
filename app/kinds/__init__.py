"""Every kind of matter there is, by its name. The modules beside it go through matters of all kinds.

A new kind is one folder, one line here, and one migration (docs/adr/0048-matters.md).
"""

from typing import Final

from app.cases.kind import GRIEVANCE
from app.matters.kinds import MatterKind

KINDS: Final[dict[str, MatterKind]] = {one.name: one for one in (GRIEVANCE,)}
