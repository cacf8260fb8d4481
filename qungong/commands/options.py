"""Options that several commands take."""

from typing import Annotated

import typer

HttpPort = Annotated[
    int, typer.Option("--port", envvar="QUNGONG_PORT", min=1, max=65535, help="页面与接口 · HTTP")
]
SmsPort = Annotated[
    int,
    typer.Option(envvar="QUNGONG_SMS_PORT", min=1, max=65535, help="短信模拟器 · SMS simulator"),
]
