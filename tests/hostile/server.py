"""The application as gunicorn calls it. Django's test client would leave out its outermost part."""

import json
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.http import HttpResponse
from django.test import RequestFactory
from django.test.client import FakePayload

from tests.openapi import check_answer
from voicechat.handler import Handler

PROBLEM = ["type", "title", "status", "detail", "code", "errors"]


class Metered(Handler):
    """Notes what answers take of the processor's time."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.slowest = (0.0, "")
        self.doing = ""

    def __call__(self, environ: Any, start_response: Any) -> Any:
        began, self.count = spent(), self.count + 1
        try:
            return super().__call__(environ, start_response)
        finally:
            doing = self.doing or f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
            self.slowest = max(self.slowest, (spent() - began, doing))


def spent() -> float:
    """Seconds of the processor's time, those of a picture's decoder included."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.thread_time() + children.ru_utime + children.ru_stime


@contextmanager
def open_connection() -> Iterator[None]:
    """The end of a request does not close the database's connection, on which the test's transaction is."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)


class Server(RequestFactory):
    """Gives answers, where Django's factory gives requests."""

    def __init__(self, application: Handler) -> None:
        super().__init__()
        self.application = application

    def request(self, **request: Any) -> HttpResponse:
        request["wsgi.input"] = BytesIO(request.get("wsgi.input", FakePayload()).read())  # as patient as a socket
        begun: list[Any] = []
        with open_connection():
            body = self.application(self._base_environ(**request), lambda *given: begun.extend(given))
            content = b"".join(body)
            body.close()
        status, headers = begun
        return HttpResponse(content, status=int(status.split()[0]), headers=dict(headers))


class Attack:
    """Sends requests, and notes what is wrong with an answer instead of stopping at the first."""

    def __init__(self, application: Metered) -> None:
        self.application = application
        self.server = Server(application)
        self.faults: list[str] = []

    def send(self, name: str, method: str, path: str, content: bytes = b"", content_type: str = "", **extra: Any):
        """A refusal stays as it is, so that whatever it wrote is seen in the end. Whatever succeeds is undone."""
        self.application.doing = name
        try:
            with transaction.atomic():
                answer = self.server.generic(method, path, content, content_type=content_type, **extra)
                check_answer(method, path, answer)
                transaction.set_rollback(answer.status_code < 400)
        except Exception as error:
            self.faults.append(f"{name}: {type(error).__name__} {error}")
            return None
        if answer.status_code >= 500 or (answer.status_code >= 400 and not is_problem(answer)):
            self.faults.append(f"{name}: {answer.status_code} {answer.content[:200]!r}")
        return answer


def is_problem(answer: HttpResponse) -> bool:
    return answer["Content-Type"] == "application/problem+json" and list(json.loads(answer.content)) == PROBLEM
