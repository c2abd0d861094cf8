"""How gunicorn serves. `make run` and the Procfile use this; a flag or GUNICORN_CMD_ARGS wins over it."""

from gunicorn import glogging

from voicechat.logs import OUR_LOGGERS, JSONFormatter
from voicechat.startup import announce, load_settings

settings = load_settings()


class Logger(glogging.Logger):
    """Writes gunicorn's own lines as the application writes its.

    Its access log stays off whatever a flag says: it quotes paths and queries, and each request has its line already.
    """

    access_log_enabled = False

    def setup(self, cfg):
        super().setup(cfg)
        self.write_as(JSONFormatter((*OUR_LOGGERS, "gunicorn")))

    def write_as(self, formatter):
        for handler in self.error_log.handlers:
            handler.setFormatter(formatter)


def post_fork(server, worker):
    """A worker meets requests, and what gunicorn says there may quote them."""
    worker.log.write_as(JSONFormatter())


bind = f"0.0.0.0:{settings.PORT}"
worker_class = "gthread"
workers = settings.WEB_CONCURRENCY
threads = 8  # polls must not wait behind requests that wait for a vendor (`make bench`)
timeout = 30
max_requests = 10_000
max_requests_jitter = 1_000
limit_request_field_size = 20 * 1024  # a token of 16 KiB (two hundred groups in it), and room for a longer name
control_socket_disable = True
forwarder_headers = ""  # or whoever asks from the loopback could set SCRIPT_NAME by a header
logger_class = Logger
when_ready = announce
