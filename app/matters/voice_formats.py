"""Kind and length of a voice message, read from its bytes: WebM or Ogg with Opus, MP4 with AAC. Pure.

Every length is taken from the packets themselves, since a header may say anything. What does not fit together to the last
byte, holds a picture track, or is encrypted, is refused. Nothing is decoded.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from app.matters.attachments import Media

NOT_A_VOICE: Final = "不是有效的语音，请重新录制"
BROKEN: Final = "语音不完整，请重新录制"
OTHER_FORMAT: Final = "这种语音无法播放，请换一部手机录制，或者写一句话"
EMPTY: Final = "语音是空的，请重新录制"

# A minute in the shortest frames that Opus has; more parts cost time and are no recording.
_MOST_PARTS: Final = 40_000
_OPUS_RATE: Final = 48_000
# RFC 6716: no packet holds more than 120 ms.
_LONGEST_PACKET: Final = 5_760
_SILK: Final = (480, 960, 1920, 2880)
_HYBRID: Final = (480, 960)
_CELT: Final = (120, 240, 480, 960)
_AAC_FRAME: Final = 1024
_AAC_RATES: Final = (
    96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350,
)  # fmt: skip


class VoiceRefused(ValueError):
    """The bytes cannot be taken as a voice message; the text tells people why."""


@dataclass(frozen=True, slots=True)
class Voice:
    media: Media
    milliseconds: int


def read(sent: bytes) -> Voice:
    """Raises VoiceRefused."""
    if not sent:
        raise VoiceRefused(EMPTY)
    try:
        if sent.startswith(b"\x1a\x45\xdf\xa3"):
            voice = Voice(Media.WEBM, _webm(sent))
        elif sent.startswith(b"OggS"):
            voice = Voice(Media.OGG, _ogg(sent))
        elif sent[4:8] == b"ftyp":
            voice = Voice(Media.MP4, _mp4(sent))
        else:
            raise VoiceRefused(NOT_A_VOICE)
    except (IndexError, struct.error) as short:
        raise VoiceRefused(BROKEN) from short
    if voice.milliseconds <= 0:
        raise VoiceRefused(EMPTY)
    return voice


def _opus_samples(packet: bytes) -> int:
    """How much sound an Opus packet holds, at 48,000 a second (RFC 6716, section 3.1)."""
    config, code = packet[0] >> 3, packet[0] & 3
    if config < 12:
        frame = _SILK[config & 3]
    elif config < 16:
        frame = _HYBRID[config & 1]
    else:
        frame = _CELT[config & 3]
    samples = frame * (packet[1] & 0x3F if code == 3 else (1, 2, 2)[code])
    if not 0 < samples <= _LONGEST_PACKET:
        raise VoiceRefused(BROKEN)
    return samples


# WebM (a part of Matroska).
_EBML, _DOC_TYPE, _SEGMENT, _INFO, _SCALE = 0x1A45DFA3, 0x4282, 0x18538067, 0x1549A966, 0x2AD7B1
_TRACKS, _TRACK, _TRACK_TYPE, _CODEC, _ENCODINGS = 0x1654AE6B, 0xAE, 0x83, 0x86, 0x6D80
_CLUSTER, _TIME, _SIMPLE_BLOCK, _GROUP, _BLOCK = 0x1F43B675, 0xE7, 0xA3, 0xA0, 0xA1
# Elements that are read into, not skipped: recorders leave the length of segments and clusters open.
_ENTERED: Final = frozenset({_EBML, _SEGMENT, _INFO, _TRACKS, _TRACK, _CLUSTER, _GROUP})
_UNBOUNDED: Final = frozenset({_SEGMENT, _CLUSTER})
_AUDIO: Final = 2


@dataclass(slots=True)
class _Webm:
    """State of the parse; times in units of `scale` nanoseconds."""

    doc_type: bytes = b""
    segments: int = 0
    tracks: list[dict[int, bytes]] = field(default_factory=list)
    scale: int = 1_000_000
    cluster_time: int = 0
    samples: int = 0
    first: int | None = None
    last: int = 0

    def take(self, kind: int, body: bytes) -> None:
        if kind == _SEGMENT:
            self.segments += 1
        elif kind == _DOC_TYPE:
            self.doc_type = body.rstrip(b"\0")
        elif kind == _SCALE:
            self.scale = int.from_bytes(body)
        elif kind == _TRACK:
            self.tracks.append({})
        elif kind in (_TRACK_TYPE, _CODEC, _ENCODINGS):
            self.tracks[-1][kind] = body
        elif kind == _TIME:
            self.cluster_time = int.from_bytes(body)
        elif kind in (_SIMPLE_BLOCK, _BLOCK):
            self._block(body)

    def _block(self, body: bytes) -> None:
        _, at = _variable(body, 0)
        since, flags = struct.unpack_from(">hB", body, at)
        if flags & 0x06:  # several frames in a block: no recorder on a phone does that
            raise VoiceRefused(OTHER_FORMAT)
        self.samples += _opus_samples(body[at + 3 :])
        time = self.cluster_time + since
        self.first = time if self.first is None else self.first
        self.last = max(self.last, time)

    def milliseconds(self) -> int:
        if self.doc_type != b"webm" or self.segments != 1:
            raise VoiceRefused(NOT_A_VOICE)
        if len(self.tracks) != 1 or self.tracks[0].get(_CODEC) != b"A_OPUS":
            raise VoiceRefused(OTHER_FORMAT)
        if int.from_bytes(self.tracks[0].get(_TRACK_TYPE, b"")) != _AUDIO:
            raise VoiceRefused(OTHER_FORMAT)
        if _ENCODINGS in self.tracks[0]:
            raise VoiceRefused(OTHER_FORMAT)
        span = (self.last - (self.first or 0)) * self.scale // 1_000_000
        return max(self.samples * 1000 // _OPUS_RATE, span)


def _webm(sent: bytes) -> int:
    read_so_far = _Webm()
    for kind, body in _elements(sent):
        read_so_far.take(kind, body)
    return read_so_far.milliseconds()


def _elements(sent: bytes) -> Iterator[tuple[int, bytes]]:
    """Every element in order; of those that are entered the body is empty."""
    at = parts = 0
    while at < len(sent):
        parts += 1
        length = 9 - sent[at].bit_length()
        if length > 4 or parts > _MOST_PARTS:
            raise VoiceRefused(NOT_A_VOICE)
        kind, at = int.from_bytes(sent[at : at + length]), at + length
        size, at = _variable(sent, at)
        if size is None and kind not in _UNBOUNDED:
            raise VoiceRefused(BROKEN)
        end = at + (size or 0)
        if end > len(sent):
            raise VoiceRefused(BROKEN)
        if kind in _ENTERED:
            yield kind, b""
        else:
            yield kind, sent[at:end]
            at = end


def _variable(sent: bytes, at: int) -> tuple[int | None, int]:
    """A number of one to eight bytes, and where it ends; None for the one that says "not known"."""
    length = 9 - sent[at].bit_length()
    end = at + length
    if length > 8 or end > len(sent):
        raise VoiceRefused(BROKEN)
    bits = 7 * length
    number = int.from_bytes(sent[at:end]) & ((1 << bits) - 1)
    return (None if number == (1 << bits) - 1 else number), end


# Ogg (RFC 3533) with Opus (RFC 7845).
_PAGE: Final = struct.Struct("<4sBBqIIIB")
_CONTINUED, _FIRST_PAGE = 1, 2
_REVERSED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _ogg(sent: bytes) -> int:
    samples, skipped, granule = 0, 0, 0
    for number, (packet, position) in enumerate(_packets(sent)):
        if number == 0:
            if packet[:8] != b"OpusHead" or len(packet) < 19:
                raise VoiceRefused(OTHER_FORMAT)
            skipped = int.from_bytes(packet[10:12], "little")
        elif number == 1:
            if packet[:8] != b"OpusTags":
                raise VoiceRefused(OTHER_FORMAT)
        else:
            samples += _opus_samples(packet)
            granule = max(granule, position)
    if samples == 0:
        return 0
    return max(samples, granule - skipped) * 1000 // _OPUS_RATE


def _packets(sent: bytes) -> Iterator[tuple[bytes, int]]:
    """Each packet, and the position that its page says; across pages of one stream, each with its checksum."""
    at, number, parts, open_packet = 0, 0, 0, b""
    serial = int.from_bytes(sent[14:18], "little")
    while at < len(sent):
        position, lacing, begin = _page(sent, at, number, serial, continued=bool(open_packet))
        parts += len(lacing)
        if parts > _MOST_PARTS:
            raise VoiceRefused(NOT_A_VOICE)
        for length in lacing:
            open_packet += sent[begin : begin + length]
            begin += length
            if length < 255:
                yield open_packet, position
                open_packet = b""
        at, number = begin, number + 1
    if open_packet:
        raise VoiceRefused(BROKEN)


def _page(
    sent: bytes, at: int, number: int, serial: int, *, continued: bool
) -> tuple[int, bytes, int]:
    """Its position, the lengths of its pieces, and where they begin."""
    mark, version, flags, position, of, sequence, _, count = _PAGE.unpack_from(sent, at)
    begin = at + _PAGE.size + count
    lacing = sent[at + _PAGE.size : begin]
    end = begin + sum(lacing)
    if mark != b"OggS" or version or len(lacing) != count or end > len(sent):
        raise VoiceRefused(BROKEN)
    expected = (number, serial, number == 0, continued)
    if (sequence, of, bool(flags & _FIRST_PAGE), bool(flags & _CONTINUED)) != expected:
        raise VoiceRefused(BROKEN)
    _require_checksum(sent[at:end])
    return position, lacing, begin


def _require_checksum(page: bytes) -> None:
    """Ogg takes the bits of zlib's CRC the other way round, and begins with zero."""
    told = int.from_bytes(page[22:26], "little")
    blank = (page[:22] + bytes(4) + page[26:]).translate(_REVERSED)
    found = zlib.crc32(blank, 0xFFFFFFFF) ^ 0xFFFFFFFF
    if int(f"{found:032b}"[::-1], 2) != told:
        raise VoiceRefused(BROKEN)


# MP4 (ISO/IEC 14496-12) with AAC; a phone may write it in one piece or in fragments.
_ENTERED_BOXES: Final = frozenset(
    {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"mvex", b"moof", b"traf"}
)
_AAC: Final = 0x40
_DEEPEST: Final = 8


@dataclass(slots=True)
class _Mp4:
    """State of the parse; `declared` is in units of the track's `timescale`."""

    tracks: int = 0
    handler: bytes = b""
    timescale: int = 0
    rate: int = 0
    frames: int = 0
    declared: int = 0
    sound: int = 0

    def take(self, kind: bytes, body: bytes) -> None:
        if kind == b"trak":
            self.tracks += 1
        elif kind == b"mdhd":
            self.timescale = int.from_bytes(body[20:24] if body[0] else body[12:16])
        elif kind == b"stsd":
            self.rate = _aac_rate(body)
        else:
            self._count(kind, body)

    def _count(self, kind: bytes, body: bytes) -> None:
        if kind == b"hdlr" and not self.handler:
            self.handler = body[8:12]
        elif kind == b"stsz":
            self.frames += _sizes(body)
        elif kind == b"stts":
            self.declared += _durations(body)
        elif kind == b"trun":
            frames, declared = _run(body)
            self.frames, self.declared = self.frames + frames, self.declared + declared
        elif kind == b"mdat":
            self.sound += len(body)

    def milliseconds(self) -> int:
        if not self.tracks:
            raise VoiceRefused(NOT_A_VOICE)
        if self.tracks > 1 or self.handler != b"soun" or not self.rate:
            raise VoiceRefused(OTHER_FORMAT)
        if not self.timescale or not self.sound:
            raise VoiceRefused(BROKEN if self.frames else EMPTY)
        heard = self.frames * _AAC_FRAME * 1000 // self.rate
        return max(heard, self.declared * 1000 // self.timescale) if self.frames else 0


def _mp4(sent: bytes) -> int:
    read_so_far = _Mp4()
    for number, (kind, body) in enumerate(_boxes(sent, 0)):
        if number > _MOST_PARTS:
            raise VoiceRefused(NOT_A_VOICE)
        read_so_far.take(kind, body)
    return read_so_far.milliseconds()


def _boxes(sent: bytes, depth: int) -> Iterator[tuple[bytes, bytes]]:
    """Every box in order; a container comes before its content."""
    at = 0
    while at < len(sent):
        size, kind = struct.unpack_from(">I4s", sent, at)
        head = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", sent, at + 8)
            head = 16
        elif size == 0 and depth == 0:
            size = len(sent) - at
        if size < head or at + size > len(sent) or depth > _DEEPEST:
            raise VoiceRefused(BROKEN)
        body = sent[at + head : at + size]
        yield kind, body
        if kind in _ENTERED_BOXES:
            yield from _boxes(body, depth + 1)
        at += size


def _aac_rate(body: bytes) -> int:
    """Of the one sample description; refuses all that is not AAC."""
    (entries, size, kind) = struct.unpack_from(">II4s", body, 4)
    version = int.from_bytes(body[24:26])
    if entries != 1 or kind != b"mp4a" or version > 1 or size + 8 != len(body):
        raise VoiceRefused(OTHER_FORMAT)
    inner = body[44 if version == 0 else 60 :]
    described = next((one for name, one in _boxes(inner, 1) if name == b"esds"), b"")
    config = _decoder_config(described[4:])
    bits = int.from_bytes(config[:6].ljust(6, b"\0"))
    index, rest = (bits >> 39) & 15, (bits >> 15) & 0xFFFFFF
    if (bits >> 43) == 31:  # a longer object type: 6 bits come between
        index, rest = (bits >> 33) & 15, (bits >> 9) & 0xFFFFFF
    rate = rest if index == 15 else _AAC_RATES[index]
    if not 7_000 <= rate <= 96_000:
        raise VoiceRefused(OTHER_FORMAT)
    return rate


def _decoder_config(described: bytes) -> bytes:
    """The decoder's own description within the descriptors of an esds box."""
    kind, stream = _descriptor(described)
    flags = stream[2]
    if kind != 0x03 or flags & 0xE0:
        raise VoiceRefused(OTHER_FORMAT)
    kind, decoder = _descriptor(stream[3:])
    if kind != 0x04 or decoder[0] != _AAC:
        raise VoiceRefused(OTHER_FORMAT)
    kind, config = _descriptor(decoder[13:])
    if kind != 0x05 or len(config) < 2:
        raise VoiceRefused(OTHER_FORMAT)
    return config


def _descriptor(written: bytes) -> tuple[int, bytes]:
    length, at = 0, 1
    for _ in range(4):
        byte, at = written[at], at + 1
        length = length << 7 | byte & 0x7F
        if not byte & 0x80:
            break
    if at + length > len(written):
        raise VoiceRefused(BROKEN)
    return written[0], written[at : at + length]


def _sizes(body: bytes) -> int:
    each, count = struct.unpack_from(">II", body, 4)
    if each == 0 and len(body) != 12 + 4 * count:
        raise VoiceRefused(BROKEN)
    return int(count)


def _durations(body: bytes) -> int:
    (count,) = struct.unpack_from(">I", body, 4)
    if len(body) != 8 + 8 * count:
        raise VoiceRefused(BROKEN)
    return sum(samples * each for samples, each in struct.iter_unpack(">II", body[8:]))


def _run(body: bytes) -> tuple[int, int]:
    """Of a fragment: how many frames, and how long they are said to be where that is told."""
    flags, count = struct.unpack_from(">II", body)
    flags &= 0xFFFFFF
    head = 8 + 4 * bool(flags & 0x1) + 4 * bool(flags & 0x4)
    each = 4 * sum(bool(flags & bit) for bit in (0x100, 0x200, 0x400, 0x800))
    if len(body) != head + each * count or count > _MOST_PARTS:
        raise VoiceRefused(BROKEN)
    if not flags & 0x100:
        return int(count), 0
    times = (int.from_bytes(body[at : at + 4]) for at in range(head, len(body), each))
    return int(count), sum(times)
