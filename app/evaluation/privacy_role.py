"""The one door to the schema of surveys: the database lets nobody through who has not said so in their transaction.

Says nothing about who may see what; whoever enters decides that first or by what they ask for.
"""

from typing import Final

from app.db import Transaction
from app.evaluation import evaluation_log

ROLE: Final = "qungong_surveys"


async def enter(tx: Transaction) -> None:
    """From here until the transaction ends, it may read and write what citizens answered; the next one may not.

    Also where a request only reads: what follows is then one transaction. Costs no round trip where nothing was written
    or locked before.
    """
    await tx.act_as(ROLE)
    # Whatever it writes there is logged with it.
    tx.before_write[evaluation_log.append] = None
