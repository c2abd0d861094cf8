"""What a person's `detailed` is made of: their groups, and in each the people around it, with what they did."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django.db.models import Model
from rest_framework import serializers

from core.rows import Part, RowSerializer, Shape, columns_of, placed
from core.wire import TimeField
from groups.models import Activity, Invitation, Membership, Ownership, Participant
from users.api.serializers import UserSerializer

NEWEST = 50
"""How many activities of each group are given; `/activities` has them all."""


class ContactSerializer(RowSerializer):
    """A person inside a group's lists. Never a balance, a card, a phone number or a Stripe id."""

    id = serializers.IntegerField()
    email = serializers.CharField()
    displayName = serializers.CharField(source="display_name")
    firstName = serializers.CharField(source="first_name", allow_null=True)
    lastName = serializers.CharField(source="last_name", allow_null=True)
    avatar = serializers.CharField(allow_null=True)
    callStatus = serializers.BooleanField(source="call_status")
    billingSubcription = serializers.CharField(source="billing_subscription")
    createdAt = TimeField(source="created_at")


class ListedSerializer(RowSerializer):
    """What is the row's own, and then what is of the row that it leads to; but where both have a key, its own."""

    model: ClassVar[type[Model]]
    relation: ClassVar[str]
    related: ClassVar[type[RowSerializer]] = RowSerializer

    def get_fields(self) -> dict[str, Any]:
        own, related = super().get_fields(), self.related().get_fields()
        for name, field in related.items():
            field.source = f"{self.relation}.{field.source or name}"
        return {**{name: field for name, field in own.items() if name not in related}, **related, **own}


class DetailedPersonSerializer(ListedSerializer):
    """A person in one of a group's lists. Never a balance, a card, a phone number or a Stripe id."""

    relation, related = "user", ContactSerializer
    own_columns: ClassVar[tuple[str, ...]]
    with_contact: ClassVar[Callable[[Sequence[Any], Shape], Shape]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = [part for part in cls.parts if not part.column.startswith("user__")]
        cls.own_columns = columns_of(own)
        cls.with_contact = staticmethod(contact_writer(own))


def contact_writer(own: Sequence[Part]) -> Callable[[Sequence[Any], Shape], Shape]:
    """Writes a person from the values of `own_columns` and their Contact, which is written once wherever they occur."""
    keys = {part.key for part in ContactSerializer.parts}
    written = {part.column: part.key for part in own if part.key not in keys}
    again = [(part.key, written[part.column]) for part in own if part.key in keys]
    first = [part for part in placed(own) if part[0] not in keys]

    def with_contact(values: Sequence[Any], contact: Shape) -> Shape:
        shape = {}
        for key, place, convert in first:
            shape[key] = values[place] if convert is None else convert(values[place])
        shape.update(contact)
        for key, same in again:
            shape[key] = shape[same]
        return shape

    return with_contact


class DetailedActivitySerializer(DetailedPersonSerializer):
    """What somebody did, and who: `id` is the person's, `createdAt` the activity's."""

    model = Activity
    activityId = serializers.IntegerField(source="id")
    activityCreatedAt = TimeField(source="created_at")
    activity = serializers.CharField()
    createdAt = TimeField(source="created_at")


class DetailedParticipantSerializer(DetailedPersonSerializer):
    model = Participant
    participantCreatedAt = TimeField(source="created_at")


class DetailedOwnerSerializer(DetailedPersonSerializer):
    model = Ownership
    ownerCreatedAt = TimeField(source="created_at")


class DetailedMemberSerializer(DetailedPersonSerializer):
    model = Membership
    memberCreatedAt = TimeField(source="created_at")


class DetailedInviteeSerializer(DetailedPersonSerializer):
    model = Invitation
    inviteeCreatedAt = TimeField(source="created_at")


class GroupAroundSerializer(RowSerializer):
    groupCreatedAt = TimeField(source="created_at")
    groupId = serializers.IntegerField(source="id")
    groupName = serializers.CharField(source="name")
    phoneNumber = serializers.CharField(source="phone_number", allow_null=True)
    callStatus = serializers.BooleanField(source="call_status")
    activities = DetailedActivitySerializer(many=True, help_text=f"The newest {NEWEST}.")
    callParticipants = DetailedParticipantSerializer(many=True)
    owners = DetailedOwnerSerializer(many=True)
    members = DetailedMemberSerializer(many=True)
    invitees = DetailedInviteeSerializer(many=True)


class DetailedGroupSerializer(ListedSerializer):
    """A group in one of a person's lists: since when, and then the group with everybody around it."""

    relation, related = "group", GroupAroundSerializer


class GroupOwnedSerializer(DetailedGroupSerializer):
    model = Ownership
    ownershipCreatedAt = TimeField(source="created_at")


class GroupBelongedToSerializer(DetailedGroupSerializer):
    model = Membership
    membershipCreatedAt = TimeField(source="created_at")


class GroupInvitedToSerializer(DetailedGroupSerializer):
    model = Invitation
    inviteCreatedAt = TimeField(source="created_at")


class DetailedSerializer(UserSerializer):
    """A person as they see themself, with everything around their groups: what the user page polls."""

    groupsOwned = GroupOwnedSerializer(many=True)
    groupsBelongedTo = GroupBelongedToSerializer(many=True)
    groupsInvitedTo = GroupInvitedToSerializer(many=True)
