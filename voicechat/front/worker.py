"""gunicorn's worker: uvicorn's, with our protocol before it and Django behind it."""

import asyncio
import os
import signal
import socket
import sys
from contextlib import suppress
from functools import partial
from typing import Any, cast

import uvicorn
from django.utils.module_loading import import_string
from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]  # it carries no types
from uvicorn_worker import UvicornWorker  # type: ignore[import-untyped]  # as above

LEAVING_SECONDS = 2.5
"""In which clients that keep a connection may ask once more on it, and are told that it was the last time."""


class Server(uvicorn.Server):
    """Leaves without losing a request: a connection that is closed while its client asks would lose one.

    For a moment it goes on listening, and says on each answer that the connection ends with it. So do Envoy's
    drains: https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/operations/draining
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        front: Any = self.config.app
        front.leave()
        loop = asyncio.get_running_loop()
        notifying = loop.create_task(self.go_on_notifying())
        ends = loop.time() + LEAVING_SECONDS
        while loop.time() < ends and any(each.is_kept() for each in self.connections):
            await asyncio.sleep(0.05)
        for each in sockets or ():
            await self.take_in(each)
        await super().shutdown(sockets)
        notifying.cancel()

    async def go_on_notifying(self) -> None:
        """gunicorn kills whom it has not heard of for half a minute: uvicorn's server says nothing any more, and may
        still have answers to give for as long."""
        while self.config.callback_notify:
            await self.config.callback_notify()
            await asyncio.sleep(1)

    async def take_in(self, listening: socket.socket) -> None:
        """Who waits at the door: where no other process listens, they would be cut off as it is closed."""
        loop, protocol = asyncio.get_running_loop(), cast("Any", self.config.http_protocol_class)
        made = partial(protocol, self.config, self.server_state, self.lifespan.state)
        with suppress(OSError):  # nobody waits any more
            while True:
                connection, _ = listening.accept()
                connection.settimeout(0)
                await loop.connect_accepted_socket(made, connection, ssl=self.config.ssl)

    @property
    def connections(self) -> list[Any]:
        return list(self.server_state.connections)


class Worker(UvicornWorker):  # type: ignore[misc]  # as above
    """Serves the WSGI application that gunicorn was given. https://www.uvicorn.org/deployment/#gunicorn"""

    wsgi: Any
    CONFIG_KWARGS: dict[str, Any] = {
        "loop": "uvloop",
        "http": "voicechat.front.protocol:Protocol",  # by name, for it needs the Django that is not set up yet
        "ws": "none",
        "lifespan": "off",
        "interface": "asgi3",
        "proxy_headers": False,  # whose word counts is core.addresses' business
        "server_header": False,
        "access_log": False,
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.config.timeout_graceful_shutdown = self.cfg.graceful_timeout

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Gunicorn, told to end at once (SIGINT), says so by SIGQUIT, which uvicorn's server does not hear."""
        super().handle_exit(sig, frame)
        os.kill(os.getpid(), signal.SIGTERM)

    async def callback_notify(self) -> None:
        """Each few seconds: where gunicorn itself was killed, nobody would ever end this process."""
        await super().callback_notify()
        if os.getppid() != self.ppid:
            os.kill(os.getpid(), signal.SIGTERM)

    def load_wsgi(self) -> None:
        super().load_wsgi()
        import_string("core.metrics.server.publish")()
        front = import_string("voicechat.front.door.front")  # needs the Django that the application has set up
        self.wsgi = front(self.wsgi, self.cfg.threads)

    async def _serve(self) -> None:
        """As uvicorn's, by the server that leaves slowly."""
        self.config.app = self.wsgi
        server = Server(config=self.config)
        self._install_sigquit_handler()
        await server.serve(sockets=self.sockets)
        if not server.started:
            sys.exit(Arbiter.WORKER_BOOT_ERROR)
