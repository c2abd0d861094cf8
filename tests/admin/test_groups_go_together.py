"""Groups are locked before people, all of them: an operator who deletes several at once keeps nobody waiting for it."""

import pytest
from django.db import DatabaseError, transaction

from groups.models import Group, Participant
from tests.admin.conftest import Browser, delete_together
from tests.neighbours import ours
from tests.voice.conferences.test_event_races import at_once
from users.models import User


@pytest.mark.django_db(transaction=True)
def test_while_one_of_them_is_held_up_the_people_of_the_others_are_free(
    on_postgresql: None, browser: Browser, group: Group, bob: User
) -> None:
    """Else whoever holds the second group and comes to Bob would wait for the page, and the page for them."""
    other = Group.objects.create(name="Work")
    Participant.objects.create(group=group, user=bob)
    is_free = []

    def come_to_bob() -> None:
        try:
            with transaction.atomic():
                is_free.append(User.objects.select_for_update(nowait=True, no_key=True).get(pk=bob.pk))
        except DatabaseError:
            is_free.append(None)

    at_once(
        lambda: Group.objects.select_for_update(no_key=True).get(pk=other.pk),
        lambda: delete_together(browser, group, other),
        then=come_to_bob,
    )
    assert is_free == [bob]
    assert not ours(Group).exists()
