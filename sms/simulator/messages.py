"""The simulator's messages, in memory and, where a folder is given, in a file that survives a restart."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import Literal, Self, TextIO

import msgspec

# So many are read back from the file; older ones are history nobody looks at.
_KEPT = 20_000


class Message(msgspec.Struct):
    """One text, either way. `webhook` is the status the application answered to an inbound one; 0: not reached.

    `status_callback` is an address at Twilio, an OutId at 阿里云, as the application gave it.
    """

    sid: str
    direction: Literal["outbound-api", "inbound"]
    sender: str
    to: str
    body: str
    created_at: datetime
    status: str
    status_callback: str = ""
    error_code: int | str | None = None
    webhook: int | None = None
    template_code: str = ""

    def at_step(self, status: str, error_code: int | str | None) -> Self:
        return msgspec.structs.replace(self, status=status, error_code=error_code)

    @property
    def known_by(self) -> str:
        """What the application knows it by: what stands behind an address is for Twilio alone."""
        return self.status_callback.partition("#")[0]

    @property
    def phone(self) -> str:
        """The person's number: the other one is ours."""
        return self.sender if self.direction == "inbound" else self.to


class Messages:
    """Every message by its sid and by phone, and what tests ask of the attempts to send."""

    def __init__(self, folder: Path | None) -> None:
        self._by_sid: dict[str, Message] = {}
        self._by_phone: defaultdict[str, list[Message]] = defaultdict(list)
        self.opted_out: set[str] = set()
        self.treatments: Counter[str] = Counter()
        # Of each of ours: what became of its requests, in their order.
        self.treated: defaultdict[str, list[str]] = defaultdict(list)
        self.requests: Counter[str] = Counter()
        self.accepted: Counter[str] = Counter()
        # How often one of ours was asked after, once it was there.
        self.inquiries: Counter[str] = Counter()
        self._path = folder / "messages.jsonl" if folder else None
        self._file: TextIO | None = None

    def open(self) -> None:
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        for message in _read(self._path):
            self._place(message)
        fresh = self._path.with_suffix(".new")
        fresh.write_bytes(
            b"".join(msgspec.json.encode(message) + b"\n" for message in self._by_sid.values())
        )
        fresh.replace(self._path)
        self._file = self._path.open("a", encoding="utf-8")

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def clear(self) -> None:
        self._by_sid.clear()
        self._by_phone.clear()
        self.opted_out.clear()
        for counter in (self.treatments, self.requests, self.accepted, self.inquiries):
            counter.clear()
        self.treated.clear()
        if self._file is not None:
            self._file.truncate(0)

    def take(self, message: Message) -> None:
        self._place(message)
        self.save(message)

    def treat(self, known_by: str, treatment: str) -> None:
        self.treatments[treatment] += 1
        self.treated[known_by].append(treatment)

    def save(self, message: Message) -> None:
        """Append the message as it is now; the last line of a sid counts. A line is far too short to block on."""
        if self._file is not None:
            self._file.write(msgspec.json.encode(message).decode() + "\n")
            self._file.flush()

    def get(self, sid: str) -> Message | None:
        return self._by_sid.get(sid)

    def of_phone(self, phone: str) -> list[Message]:
        """Oldest first."""
        return list(self._by_phone.get(phone, ()))

    def newest_first(self) -> Iterator[Message]:
        return reversed(self._by_sid.values())

    def phones(self, most: int) -> list[str]:
        """Those with the newest messages first."""
        found: dict[str, None] = {}
        for message in self.newest_first():
            found[message.phone] = None
            if len(found) == most:
                break
        return list(found)

    def __len__(self) -> int:
        return len(self._by_sid)

    def _place(self, message: Message) -> None:
        if message.sid in self._by_sid:
            known = self._by_phone[message.phone]
            known[next(index for index, other in enumerate(known) if other.sid == message.sid)] = (
                message
            )
        else:
            self._by_phone[message.phone].append(message)
            if message.direction == "outbound-api":
                self.accepted[message.known_by] += 1
        self._by_sid[message.sid] = message


def new_sid() -> str:
    return f"SM{token_hex(16)}"


def now() -> datetime:
    return datetime.now(UTC)


def _read(path: Path) -> Iterator[Message]:
    latest: dict[str, Message] = {}
    if path.exists():
        for line in path.read_bytes().splitlines():
            try:
                message = msgspec.json.decode(line, type=Message)
            except msgspec.DecodeError:
                # The line that was being written when the process was killed.
                continue
            latest[message.sid] = message
    yield from list(latest.values())[-_KEPT:]
