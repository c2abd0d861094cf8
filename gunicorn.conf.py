"""How gunicorn serves. `make run` and the Procfile use this; a flag or GUNICORN_CMD_ARGS wins over it."""

import os

from voicechat.startup import announce, listen_port

bind = f"0.0.0.0:{listen_port()}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 4
timeout = 30
max_requests = 10_000
max_requests_jitter = 1_000
control_socket_disable = True
when_ready = announce
