"""An inbound text as the provider delivered it. app/evaluation reads its meaning."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class InboundText:
    """What somebody texted, as the provider handed it in: the number in E.164, the words as written, blanks included.

    `sent_at`: when, where the provider tells.
    """

    provider_message_id: str
    from_phone: str = field(repr=False)
    text: str = field(repr=False)
    sent_at: datetime | None = None
