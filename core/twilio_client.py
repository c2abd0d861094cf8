"""Twilio's REST API, as whoever asks it needs it: bounded in time, pointed elsewhere where the settings say so, and
with errors of our own. https://www.twilio.com/docs/usage/api
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from requests import RequestException
from rest_framework.exceptions import APIException
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from core.deadline import time_left

logger = logging.getLogger(__name__)

TIMEOUT = 5.0  # seconds; the SDK's own default is none


class BoundedHttpClient(TwilioHttpClient):  # type: ignore[misc]  # the SDK carries no types
    """Gives every call a timeout, and can point the SDK, which knows no base URL, at another host. No redirect is
    followed: it would be sent the body."""

    def __init__(self, api_base: str) -> None:
        super().__init__(timeout=TIMEOUT, max_retries=1)
        self.api_base = api_base

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        if self.api_base:
            parts = urlsplit(url)
            url = f"{self.api_base}{parts.path}{'?' + parts.query if parts.query else ''}"
        return super().request(
            method, url, *args, **{**kwargs, "timeout": time_left(TIMEOUT), "allow_redirects": False}
        )


def twilio_client(*, account_sid: str, auth_token: str, api_base: str = "", region: str = "", edge: str = "") -> Client:
    """`region` and `edge` choose Twilio's host; `api_base` takes the place of whichever it is.

    https://www.twilio.com/docs/global-infrastructure/using-the-twilio-rest-api-in-a-non-us-region
    """
    client = BoundedHttpClient(api_base)
    return Client(account_sid, auth_token, region=region or None, edge=edge or None, http_client=client)


@contextmanager
def twilio_errors(*, refused: type[APIException], unavailable: type[APIException]) -> Iterator[None]:
    """Raises `refused` where Twilio says no, and `unavailable` where it does not answer, or not with sense.

    https://www.twilio.com/docs/api/errors
    """
    try:
        yield
    except (TwilioRestException, TwilioServiceException) as error:
        logger.warning("Twilio answered %s, error %s", error.status, error.code)
        if error.status in (400, 404):
            raise refused from error
        raise unavailable from error
    except (RequestException, TwilioException, TimeoutError, ValueError) as error:  # ValueError: a 200 that is no JSON
        logger.warning("Twilio failed: %s", type(error).__name__)
        raise unavailable from error
