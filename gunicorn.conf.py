"""How gunicorn serves, by `python -m voicechat` or alone; a flag or GUNICORN_CMD_ARGS wins over it."""

import sys

from gunicorn import glogging

from voicechat import beside
from voicechat.listening import KEEP_ALIVE, addresses, heartbeat_folder
from voicechat.logs import OUR_LOGGERS, JSONFormatter
from voicechat.startup import announce, load_settings

settings = load_settings()
try:
    worker_tmp_dir = heartbeat_folder()
except FileNotFoundError:
    sys.exit("No folder can be written: gunicorn needs /dev/shm, or TMPDIR=… with one, for its workers' heartbeat.")


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
    beside.let_go()


def on_exit(server):
    beside.end()


bind = addresses(settings.HOST, settings.PORT)
worker_class = "voicechat.front.worker.Worker"
workers = settings.WEB_CONCURRENCY
threads = settings.THREADS  # for Django: a request must not wait behind those that wait for a vendor (`make bench`)
timeout = 30
keepalive = KEEP_ALIVE
max_requests = 10_000
max_requests_jitter = 1_000
control_socket_disable = True
logger_class = Logger
when_ready = announce
