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
HttpHost = Annotated[
    str,
    typer.Option(
        "--host",
        envvar="QUNGONG_HOST",
        help="本机在局域网中的地址：同一网络的人都打得开 · this machine's address in its network: opens the site to that network",
    ),
]
