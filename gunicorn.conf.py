"""How gunicorn serves, by `python -m voicechat` or alone; a flag or GUNICORN_CMD_ARGS wins over it."""

import sys

from gunicorn import glogging
from gunicorn.http.wsgi import Response

from voicechat.listening import KEEP_ALIVE, addresses, heartbeat_folder, saying_how_long
from voicechat.logs import OUR_LOGGERS, JSONFormatter
from voicechat.startup import announce, load_settings

settings = load_settings()
try:
    worker_tmp_dir = heartbeat_folder()
except FileNotFoundError:
    sys.exit("No folder can be written: gunicorn needs /dev/shm, or TMPDIR=… with one, for its workers' heartbeat.")
Response.default_headers = saying_how_long(Response.default_headers)


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


bind = addresses(settings.HOST, settings.PORT)
worker_class = "gthread"
workers = settings.WEB_CONCURRENCY
threads = settings.THREADS  # polls must not wait behind requests that wait for a vendor (`make bench`)
timeout = 30
keepalive = KEEP_ALIVE
max_requests = 10_000
max_requests_jitter = 1_000
limit_request_field_size = 20 * 1024  # a token of 16 KiB (two hundred groups in it), and room for a longer name
control_socket_disable = True
secure_scheme_headers = {"X-FORWARDED-PROTO": "https"}  # no other, or two that disagree would be gunicorn's own 400
forwarder_headers = ""  # or whoever asks from the loopback could set SCRIPT_NAME by a header
logger_class = Logger
when_ready = announce
