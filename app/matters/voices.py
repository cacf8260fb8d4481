"""A voice message that was sent in: taken as it is, or refused in words. It is never decoded and never made anew."""

from typing import Final

from app.errors import InvalidInput
from app.matters import voice_formats
from app.matters.attachments import Content
from app.matters.voice_formats import VoiceRefused

MAX_BYTES: Final = 2**20
# A recorder that stops after 60 seconds writes its last packets a little later.
_LONGEST_MS: Final = 61_000
TOO_LONG: Final = "语音最长 60 秒，请分成几段录制"


def prepare(sent: bytes) -> Content:
    """Raises InvalidInput for what is no voice message, is empty, or is longer than a minute."""
    try:
        voice = voice_formats.read(sent)
        if voice.milliseconds > _LONGEST_MS:
            raise VoiceRefused(TOO_LONG)
    except VoiceRefused as refused:
        raise InvalidInput(mistakes=[{"where": "body.voice", "what": str(refused)}]) from refused
    return Content(voice.media, sent, milliseconds=voice.milliseconds)
