"""A link into the group, and people who may follow it."""

import pytest
from django.utils import timezone

from groups.invitations.services import make_link
from tests.access.conftest import invitee, member, owner, signed_in, stranger  # noqa: F401  # fixtures


@pytest.fixture
def path(group):
    return f"/api/groups/{group.pk}/invitationLinks"


@pytest.fixture
def link_of(group):
    """A link that somebody made: the row, and its token."""

    def link_of(maker, max_uses=1, **fields):
        fields = {"who": "", "now": timezone.now(), "days": 7, **fields}
        return make_link(group_id=group.pk, maker=maker, max_uses=max_uses, **fields)

    return link_of


@pytest.fixture
def link(link_of, alice):
    """One that Alice made, for one person."""
    return link_of(alice)


def address(token):
    return f"/api/groups/invitations/{token}"
