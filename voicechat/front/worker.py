"""gunicorn's worker: uvicorn's, with our protocol before it and Django behind it."""

import os
import signal
from typing import Any

from django.utils.module_loading import import_string
from uvicorn_worker import UvicornWorker  # type: ignore[import-untyped]  # it carries no types


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
        front = import_string("voicechat.front.door.front")  # needs the Django that the application has set up
        self.wsgi = front(self.wsgi, self.cfg.threads)
