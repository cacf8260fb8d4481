"""Phone numbers as people write them, made into the one form that is stored and looked up. Pure."""

import re
import unicodedata

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberType

from app import keys
from app.chinese_text import strip_invisible

_REGION = "CN"
_MAINLAND = 86
_LONGEST = 30
_WRITTEN = re.compile(r"\+?[0-9 ()-]+")
_DASHES = re.compile(r"[‐-―−]")
_MOBILE_SHAPE = re.compile(r"\+861[3-9][0-9]{9}")
# Whatever the next three digits are: prefixes are given out every year, and a list of them is old when it is printed.
_MOBILE_WRITTEN = re.compile(r"(?:\+?86|0086)?(1[3-9][0-9]{9})")
# Emergency and service numbers: 110, 12345, 96333. No number of a subscriber in the area is written without its area code.
_HOTLINE = re.compile(r"1[0-9]{2,4}|9[0-9]{4,5}")
_BETWEEN = re.compile(r"[\s()-]")
_AROUND = " \t\r\n,.;:、。，；："

NOT_A_NUMBER = "不是有效的手机号码，请核对"
LANDLINE = "固定电话收不到短信，请填写手机号码"
# Texts abroad cost many times as much, which draws fraud; and whoever lives here has a number of here.
ABROAD = "目前只能使用中国大陆的手机号码，境外及港澳台号码请到村(社区)由干部代为反映"


class PhoneRefused(ValueError):
    """The number cannot be used; the text tells people why."""


def mobile(written: str) -> str:
    """The number in E.164, e.g. +8613800138000; raises PhoneRefused for all that is not a mainland mobile number."""
    plain = _plain(written)
    if found := _MOBILE_WRITTEN.fullmatch(_BETWEEN.sub("", plain)):
        return f"+86{found[1]}"
    number = _parsed(plain)
    if number.country_code != _MAINLAND:
        raise PhoneRefused(ABROAD)
    # Whatever else is a number of here, no text arrives there.
    raise PhoneRefused(LANDLINE if phonenumbers.is_valid_number(number) else NOT_A_NUMBER)


def contact(written: str) -> str:
    """The number in E.164 to reach a person by: a mainland mobile number or landline; raises PhoneRefused for all others."""
    plain = _plain(written)
    if found := _MOBILE_WRITTEN.fullmatch(_BETWEEN.sub("", plain)):
        return f"+86{found[1]}"
    number = _parsed(plain)
    if number.country_code != _MAINLAND:
        raise PhoneRefused(ABROAD)
    if phonenumbers.number_type(number) is not PhoneNumberType.FIXED_LINE:
        raise PhoneRefused(NOT_A_NUMBER)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def public(written: str) -> str:
    """A number that a unit publishes: as `contact`, or a short hotline as it is dialled, e.g. 12345."""
    hotline = _BETWEEN.sub("", _plain(written))
    return hotline if _HOTLINE.fullmatch(hotline) else contact(written)


def textable(number: str) -> bool:
    """Whether a number in E.164 is one that texts arrive at: on the mainland, mobile numbers and no others begin so."""
    return _MOBILE_SHAPE.fullmatch(number) is not None


def phone_key(number: str) -> bytes:
    """What a number in E.164 is found by, without being stored."""
    return keys.lookup("phone", number)


def _plain(written: str) -> str:
    """Contacts of a phone put marks of direction around a number."""
    plain = unicodedata.normalize("NFKC", strip_invisible(written))
    return _DASHES.sub("-", plain).strip(_AROUND)


def _parsed(plain: str) -> PhoneNumber:
    # Letters would be read as keypad digits, and an extension would be dropped.
    if len(plain) > _LONGEST or not _WRITTEN.fullmatch(plain):
        raise PhoneRefused(NOT_A_NUMBER)
    try:
        return phonenumbers.parse(plain, _REGION)
    except NumberParseException as unreadable:
        raise PhoneRefused(NOT_A_NUMBER) from unreadable
