"""A connection that breaks inside a body: what has arrived is no request."""

import pytest

from billing.models import TopUp
from tests.hostile.server import Server

WHOLE = {
    "application/x-www-form-urlencoded": b"userId=%d&amountToAdd=200",
    "application/json": b'{"userId": %d, "amountToAdd": 20}          ',
    "multipart/form-data; boundary=x": b'--x\r\nContent-Disposition: form-data; name="userId"\r\n\r\n%d\r\n--x--',
}


@pytest.mark.parametrize("content_type", WHOLE)
@pytest.mark.parametrize("missing", [1, 5, 9999])
def test_half_a_body_is_refused_and_nothing_is_done(application, alice, content_type, missing):
    arrived = WHOLE[content_type] % alice.pk
    length = {"CONTENT_LENGTH": str(len(arrived) + missing)}
    answer = Server(application).generic("POST", "/api/billing/addMoney", arrived, content_type=content_type, **length)
    assert (answer.status_code, TopUp.objects.count()) == (400, 0)


def test_a_whole_body_is_read(application, alice):
    body = WHOLE["application/x-www-form-urlencoded"] % alice.pk
    answer = Server(application).generic(
        "POST", "/api/billing/addMoney", body, content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code == 200
