"""The HTTP server as it is to be started: `qungong web`, or `python -m qungong.web` for processes that start others."""

import argparse

import uvicorn

from app.settings import settings

APPLICATION = "qungong.asgi:app"
RELOADED = ("app", "mobile_api", "qungong", "sms", "workers")


def run(host: str, port: int, *, processes: int, reload: bool = False) -> None:
    """Serve until told to stop. Time limits, the bound of connections and the trusted proxies are settings."""
    uvicorn.run(
        APPLICATION,
        host=host,
        port=port,
        workers=None if reload else processes,
        reload=reload,
        reload_dirs=list(RELOADED) if reload else None,
        http="qungong.connections:TimedProtocol",
        # An upgraded connection would escape the time limits; nothing here speaks WebSocket.
        ws="none",
        backlog=1024,
        timeout_keep_alive=settings().http_idle_seconds,
        # Requests are logged by the application itself, without the phone numbers that stand in addresses.
        access_log=False,
        log_level="warning",
        # Limits per address count whoever asks, not the proxy in front.
        proxy_headers=True,
        forwarded_allow_ips=settings().trusted_proxies,
        server_header=False,
        # A sender of half a body does not keep the server from ending.
        timeout_graceful_shutdown=8,
    )


def main() -> None:
    asked = argparse.ArgumentParser(prog="qungong web")
    asked.add_argument("--host", default="127.0.0.1")
    asked.add_argument("--port", type=int, default=8000)
    asked.add_argument("--processes", type=int, default=2)
    asked.add_argument("--reload", action="store_true")
    given = asked.parse_args()
    run(given.host, given.port, processes=given.processes, reload=given.reload)


if __name__ == "__main__":
    main()
