"""One module per provider of text messages, each a Gateway; which one is opened, the settings say."""

from app.settings import Settings, settings
from sms.gateway import Capabilities, Gateway
from sms.providers import aliyun_protocol, twilio_protocol


def open_gateway() -> Gateway:
    """The configured provider; needs a running event loop."""
    # Only the process that sends loads a provider's client, and only that of its provider.
    if settings().sms_provider == "aliyun":
        from sms.providers import aliyun  # noqa: PLC0415 - loads aiohttp

        return aliyun.AliyunGateway(settings())
    from sms.providers import twilio  # noqa: PLC0415 - loads Twilio's library, aiohttp and requests

    return twilio.TwilioGateway(settings())


def capabilities(of: Settings | None = None) -> Capabilities:
    """What the configured provider can do, without opening it."""
    given = of or settings()
    if given.sms_provider == "aliyun":
        return aliyun_protocol.capabilities(given)
    return twilio_protocol.capabilities(given)
