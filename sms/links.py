"""Links in what people typed: what a phone would turn into something to tap. Pure.

A number of a list, an English name or a measure has dots too: 1.LED, Mr.Li, 3.5米. So a host without a scheme is one only
where the Public Suffix List knows its last part, and its spelling is that of a host.
"""

import re
from functools import cache
from typing import Final

from publicsuffixlist import PublicSuffixList

_REST: Final = r"(?:[!-~]++|[^\s，。；：！？、（）《》“”]*+)"
# With a scheme or with www: whatever follows. Else a run of labels, to be judged: a host, its port, its path.
_LINK: Final = re.compile(
    rf"[a-z][a-z0-9+.-]{{0,15}}://{_REST}|(?<![a-z0-9])www\.{_REST}"
    r"|(?<![a-z0-9@_-])(?<![a-z0-9@_-]\.)(?P<host>[a-z0-9-]++(?>(?:\.[a-z0-9-]++)+))(?P<port>:[0-9]{1,5}+)?(?P<path>[/?#][!-~]*+)?",
    re.IGNORECASE,
)
_ADDRESS: Final = re.compile(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}")
# The number of a list that stands before a host: 1.example.com.
_LIST_NUMBER: Final = re.compile(r"[0-9]{1,2}\.(?=[a-z0-9-]*+\.)", re.IGNORECASE)
# Nothing but hosts ends in these, however it is written.
_OF_HOSTS: Final = frozenset({"com", "net", "org", "cn", "gov", "edu"})
_TITLES: Final = frozenset(
    {"mr", "mrs", "ms", "dr", "prof", "st", "no", "nr", "vs", "etc", "tel", "fig", "vol"}
)


def without_links(text: str, instead: str) -> str:
    """The text with `instead` for each link; all else stays as it is. Its time is linear in the length."""
    return _LINK.sub(lambda found: _kept(found, instead), text)


def _kept(found: re.Match[str], instead: str) -> str:
    host = found["host"]
    if host is None:
        return instead
    numbered = _LIST_NUMBER.match(host)
    before = numbered[0] if numbered and not _ADDRESS.fullmatch(host) else ""
    leads_on = found["path"] is not None and found["path"][1:2].isalnum()
    if _is_host(host[len(before) :], leads_on=leads_on, has_port=found["port"] is not None):
        return before + instead
    return found[0]


def _is_host(host: str, *, leads_on: bool, has_port: bool) -> bool:
    """`leads_on`: a path follows. That, or a lower-case name that is nobody's title, makes a host of a known ending."""
    if _ADDRESS.fullmatch(host):
        return leads_on or has_port
    *labels, last = host.lower().split(".")
    if _suffixes().publicsuffix(f"any.{last}") is None:
        return False
    if last in _OF_HOSTS or leads_on:
        return True
    return host.islower() and not labels[-1].isdecimal() and labels[0] not in _TITLES


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=False, only_icann=True)
