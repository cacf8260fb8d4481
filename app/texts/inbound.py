"""A text that came in, as a provider handed it to us. What it means, app/evaluation finds out."""

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
