"""Where a request comes from, before anybody has signed in: its address and device; and the cookie signing in leaves."""

import re
from ipaddress import IPv6Address, ip_address
from typing import Annotated, Final

from fastapi import Depends, Request, Response

from app import keys, security_log
from app.auth.devices import Device, Place
from app.auth.models import Session
from app.security_log import What


async def _address_key(request: Request) -> bytes:
    """A keyed digest of the client's address, as uvicorn's proxy-headers handling has it."""
    return keys.lookup("address", shown_address(request))


def shown_address(request: Request) -> str:
    """The client's address in clear, for the security log alone."""
    return _network(request.client.host if request.client else "")


def _network(host: str) -> str:
    """An IPv6 subscriber has a /64 to choose addresses from, so that counts as one."""
    try:
        address = ip_address(host)
    except ValueError:
        return "unknown"  # a unix socket, or a proxy that says nonsense
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return f"{int(address) >> 64:x}/64"
    return str(address)


async def _user_agent(request: Request) -> str:
    """What the client calls itself, for its owner to recognise it by in the list of sessions."""
    told = request.headers.get("user-agent", "")
    return "".join(letter for letter in told if letter.isprintable())[:120]


DEVICE_COOKIE: Final = "qungong_device"
_DEVICE_SECONDS: Final = 400 * 24 * 3600
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{20,100}")


async def _place(request: Request) -> Place:
    carried = request.cookies.get(cookie_name(request, DEVICE_COOKIE), "")
    device = Device.of(carried if _TOKEN.fullmatch(carried) else None)
    return Place(await _address_key(request), device, await _user_agent(request))


AddressKey = Annotated[bytes, Depends(_address_key)]
SignInPlace = Annotated[Place, Depends(_place)]


def cookie_name(request: Request, cookie: str) -> str:
    """Over https a name that a browser takes only from this very host over https, so that no neighbour can plant one."""
    return f"__Host-{cookie}" if request.url.scheme == "https" else cookie


def remember(
    request: Request, response: Response, cookie: str, token: str, session: Session
) -> None:
    """Leave the token with the browser, out of reach of scripts and other sites, as long as the session lasts."""
    response.set_cookie(
        cookie_name(request, cookie),
        token,
        max_age=int((session.expires_at - session.created_at).total_seconds()),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    response.headers["Cache-Control"] = "no-store"


def remember_device(request: Request, response: Response, device: Device) -> None:
    """Leave the device's name with the browser; signing out leaves it there."""
    assert device.token is not None, "a device that signed in, or asked for a code, has a name"
    response.set_cookie(
        cookie_name(request, DEVICE_COOKIE),
        device.token,
        max_age=_DEVICE_SECONDS,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


def note_sign_in(request: Request, session: Session) -> None:
    """A line in the security log."""
    who = (
        f"citizen:{session.citizen_id}" if session.staff_id is None else f"staff:{session.staff_id}"
    )
    security_log.record(
        What.SIGNED_IN,
        address=shown_address(request),
        who=who,
        post=session.post_id,
        session=str(session.id),
    )


def forget(request: Request, response: Response, cookie: str) -> None:
    response.delete_cookie(
        cookie_name(request, cookie),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
