"""How the processes log: one JSON line for each thing that went wrong, on standard error. No request log, no numbers."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

# Eleven digits from 1 are somebody's telephone; a bearer of a name would be a mistake that no pattern finds.
_PHONE = re.compile(r"(?<!\d)(?:\+?86)?1[3-9]\d{9}(?!\d)")


def configure() -> None:
    """Once, when a process starts."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            without_numbers,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )


def without_numbers(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> Mapping[str, Any]:
    """The last safeguard: a telephone number that got into a log line, as in an exception's text, is blotted out."""
    return {
        name: _PHONE.sub("[号码]", value) if isinstance(value, str) else value
        for name, value in event.items()
    }
