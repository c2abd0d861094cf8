"""How gunicorn serves. `make run` and the Procfile use this; a flag or GUNICORN_CMD_ARGS wins over it."""

from voicechat.startup import announce, load_settings

settings = load_settings()
bind = f"0.0.0.0:{settings.PORT}"
worker_class = "gthread"
workers = settings.WEB_CONCURRENCY
threads = 8  # polls must not wait behind requests that wait for a vendor (`make bench`)
timeout = 30
max_requests = 10_000
max_requests_jitter = 1_000
control_socket_disable = True
when_ready = announce
