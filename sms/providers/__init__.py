"""One module per provider of text messages, each a Gateway; which one is opened, the settings say."""

from app.settings import Settings, settings
from sms.gateway import Capabilities, Gateway
from sms.providers import aliyun, twilio


def open_gateway() -> Gateway:
    """The configured provider; needs a running event loop."""
    if settings().sms_provider == "aliyun":
        return aliyun.AliyunGateway(settings())
    return twilio.TwilioGateway(settings())


def capabilities(of: Settings | None = None) -> Capabilities:
    """What the configured provider can do, without opening it."""
    given = of or settings()
    if given.sms_provider == "aliyun":
        return aliyun.capabilities(given)
    return twilio.capabilities(given)
