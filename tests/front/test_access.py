"""The door lets in whom Django lets in: the access matrix, each cell of it asked three times."""

import pytest

from tests.access.conftest import *  # noqa: F403  # its cast
from tests.access.operations import PRIVATE_OPERATIONS
from tests.front.through import Through
from voicechat.front.counts import counts

OF_GROUPS = ("groupOwners", "groupMembers", "groupInvitees", "callParticipants", "activities", "callStatus")
KEPT = {
    *(f"GET /api/groups/{{group_id}}/{name}" for name in OF_GROUPS),
    *("GET /api/users/{user_id}", "GET /api/users/{self}", "GET /api/users/{user_id}/detailed"),
}
READS = [operation for operation in PRIVATE_OPERATIONS if operation.route in KEPT]


@pytest.fixture
def api():
    client = Through()
    yield client
    client.close()


@pytest.mark.parametrize("operation", READS, ids=str)
def test_each_caller_is_answered_as_by_django(api, tokens, names, operation):
    before = counts.kept
    for caller, token in tokens.items():
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        status = api.get(operation.path_for(names(caller)), headers=headers).status_code
        assert f"{status}" == operation.cells[caller].rstrip("=")
    assert (counts.kept > before) == ("200" in operation.cells.values())
