"""The operators' pages about groups, and a person's groups on the person's page."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from core.legible import legible
from groups.models import (
    Activity,
    Device,
    Group,
    GroupPerson,
    Invitation,
    InvitationLink,
    Membership,
    Ownership,
    Participant,
    Push,
    SandboxNotification,
)
from groups.services import LastOwner, heir_of, lock_group
from groups.signals import invited
from users.admin import foretell_deletion, show_on_person
from users.models import User
from users.operators import legible_column, person_link, written
from users.operators.pages import AskedAgain, ReadOnlyAdmin, ReadOnlyInline
from users.operators.paging import TEMPLATE, Paged, PagedFormSet
from users.operators.searching import MOST, NEWEST, SearchedByWord, among_newest, people_called, said
from users.operators.story import Part, bdi, in_story, linked, listed, newest, on_page

LISTS: tuple[type[GroupPerson], ...] = (Ownership, Membership, Invitation, Participant)


def group_name(column: str = "group_id") -> Subquery:
    """The name that belongs to a plain id, null where no group has it."""
    return Subquery(Group.objects.filter(pk=OuterRef(column)).values("name")[:1])


def group_link(group_id: int | None, name: str | None) -> str | None:
    if group_id is None:
        return None
    if name is None:
        return f"deleted group {group_id}"
    page = reverse("admin:groups_group_change", args=[group_id])
    return format_html('<a href="{}">#{} <bdi>{}</bdi></a>', page, group_id, legible(name))


class PeopleFormSet(PagedFormSet):
    """Says in words what the database would refuse: somebody is on a list once, on whichever of its pages."""

    def clean(self) -> None:
        super().clean()
        going = [form.instance.pk for form in self.deleted_forms if form.instance.pk]
        new = [form.cleaned_data.get("user") for form in self.extra_forms]
        there = self.model._default_manager.filter(group=self.instance.pk, user__in=filter(None, new))
        for row in there.exclude(pk__in=going).select_related("user"):
            raise ValidationError(f"{row.user} is on this list already.")


class OwnerFormSet(PeopleFormSet):
    """Holds the operators to the API's rule: a group keeps at least one of its owners."""

    def clean(self) -> None:
        super().clean()
        going = [form.instance.pk for form in self.deleted_forms if form.instance.pk]
        if not going:
            return
        group = lock_group(self.instance.pk)  # or two operators could take off one owner each
        is_joined = any(form.has_changed() and form not in self.deleted_forms for form in self.extra_forms)
        if not is_joined and not group.ownerships.exclude(pk__in=going).exists():
            raise ValidationError(LastOwner.default_detail, code=LastOwner.default_code)


class PeopleInline(Paged, admin.TabularInline[Any, Group]):
    """People are put on a list and taken off it. A row never changes hands: its date would be another person's."""

    extra = 0
    formset = PeopleFormSet
    template = TEMPLATE
    fields = ("user", "created_at")
    readonly_fields = ("created_at",)
    autocomplete_fields = ("user",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("user")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class OwnerInline(PeopleInline):
    model = Ownership
    formset = OwnerFormSet


class MemberInline(PeopleInline):
    model = Membership


class InviteeInline(PeopleInline):
    model = Invitation


class ParticipantInline(PeopleInline):
    model = Participant


def size_name(people: type[GroupPerson]) -> str:
    return f"{people._meta.model_name}_count"


def size(people: type[GroupPerson]) -> Coalesce:
    """How many people are on a group's list, as a subquery: joins would multiply one another."""
    rows = people.objects.filter(group=OuterRef("pk")).values("group")
    return Coalesce(Subquery(rows.annotate(count=Count("pk")).values("count")), 0)


def size_column(people: type[GroupPerson]) -> Callable[[Any, Group], int]:
    @admin.display(description=people._meta.verbose_name_plural, ordering=size_name(people))
    def column(page: Any, group: Group) -> int:
        count: int = getattr(group, size_name(people))
        return count

    return column


@admin.register(Group)
class GroupAdmin(AskedAgain):
    list_display = ("id", "shown_name", "phone_number", "call_status", "owner_names", *map(size_name, LISTS))
    list_filter = ("call_status", "created_at")
    search_fields = (
        "name__has_text",
        "phone_number",
        "id__exact",
        "ownerships__user__email",
        "ownerships__user__display_name__has_text",
    )
    list_display_links = ("shown_name",)
    fields = ("name", "phone_number", "call_status", "created_at")
    readonly_fields = ("created_at",)
    inlines = (OwnerInline, MemberInline, InviteeInline, ParticipantInline)
    shown_name = legible_column("name")
    ownership_count = size_column(Ownership)
    membership_count = size_column(Membership)
    invitation_count = size_column(Invitation)
    participant_count = size_column(Participant)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        owners = Prefetch("ownerships", Ownership.objects.longest_standing().select_related("user"))
        sizes = {size_name(people): size(people) for people in LISTS}
        groups: QuerySet[Group] = super().get_queryset(request).annotate(**sizes)
        return groups.prefetch_related(owners)

    @admin.display(description="owned by")
    def owner_names(self, group: Group) -> str:
        owners = [ownership.user for ownership in group.ownerships.all()]
        return format_html_join(", ", "{}", ((written(user.pk, user.email, user.display_name),) for user in owners))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001  # Django's
        """Who joins is no longer invited, here as in the API."""
        super().save_related(request, form, formsets, change)
        new = [link for formset in formsets for link in formset.new_objects if isinstance(link, Membership)]
        Invitation.objects.filter(group=form.instance, user__in=[link.user_id for link in new]).delete()
        invitations = [link for formset in formsets for link in formset.new_objects if isinstance(link, Invitation)]
        for invitation in Invitation.objects.filter(pk__in=[link.pk for link in invitations]):
            invited.send(sender=Invitation, invitation=invitation)


@admin.register(Activity)
class ActivityAdmin(SearchedByWord, AskedAgain):
    ordering = ("-id",)  # newest first, and there is an index
    list_display = ("created_at", "what", "user", "group")
    list_display_links = ("what",)
    list_filter = ("created_at",)
    list_select_related = ("user", "group")
    search_fields = ("activity",)
    search_help_text = f"A person's name or email, a group's name, or words of the newest {NEWEST:,} activities."
    autocomplete_fields = ("user", "group")
    what = legible_column("activity", is_sorted=False)

    def found(self, text: str) -> Q:
        people = list(people_called(text).values_list("pk", flat=True)[:MOST])
        words = among_newest(Activity.objects.all(), "pk", Q(activity__has_text=text))
        return Q(user__in=people) | Q(group__in=groups_called(text)) | words


def groups_called(text: str) -> list[int]:
    return list(Group.objects.filter(name__has_text=text).values_list("pk", flat=True)[:MOST])


class OfGroupAdmin(SearchedByWord, ReadOnlyAdmin):
    """Rows that name their group by id, for they outlive it. They are sorted by it, not by a name in another table."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).annotate(group_name=group_name())
        return rows

    def found(self, text: str) -> Q:
        return Q(group_id__in=groups_called(text)) | said(self.search_fields, text)

    @admin.display(ordering="group_id")
    def group(self, row: Any) -> str | None:
        return group_link(row.group_id, row.group_name)


@admin.register(Device)
class DeviceAdmin(ReadOnlyAdmin):
    list_display = ("identity", "user", "binding_type", "groups", "sid", "created_at")
    list_filter = ("binding_type", "created_at")
    list_select_related = ("user",)
    search_fields = ("identity", "address", "sid", "user__email", "user__display_name__has_text")
    fields = ("user", "identity", "binding_type", "address", "endpoint", "sid", "groups", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Device]:
        return super().get_queryset(request).prefetch_related("tags")

    @admin.display(description="groups that it is notified about")
    def groups(self, device: Device) -> str:
        return ", ".join(map(str, device.tags.all()))


@admin.register(SandboxNotification)
class SandboxNotificationAdmin(OfGroupAdmin):
    list_display = ("created_at", "group", "words", "people")
    list_display_links = ("words",)
    list_filter = ("created_at",)
    search_fields = ("body",)
    fields = ("created_at", "group", "words", "people")
    words = legible_column("body")

    def found(self, text: str) -> Q:
        words = among_newest(SandboxNotification.objects.all(), "pk", Q(body__has_text=text))
        return super().found(text) | words

    @admin.display(description="sent to")
    def people(self, notification: SandboxNotification) -> str:
        return ", ".join(map(str, notification.identities))


COUNTS = ("devices", "told", "gone", "spared", "missed")


@admin.register(Push)
class PushAdmin(OfGroupAdmin):
    list_display = ("created_at", "cause", "group", *COUNTS, "ended_at")
    list_display_links = ("cause",)
    list_filter = ("created_at",)
    search_fields = ("cause",)
    search_help_text = "The beginning of a cause (call:CF…), or a group's name."
    fields = ("cause", "group", "words", "created_at", "until_at", "ended_at", *COUNTS)
    words = legible_column("body")


class GroupOfPersonInline(ReadOnlyInline):
    fields = ("group", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("group")


class OwnedGroupInline(GroupOfPersonInline):
    model = Ownership
    verbose_name_plural = "Groups owned"


class BelongedToGroupInline(GroupOfPersonInline):
    model = Membership
    verbose_name_plural = "Groups belonged to"


class InvitedToGroupInline(GroupOfPersonInline):
    model = Invitation
    fk_name = "user"
    verbose_name_plural = "Groups invited to"


@foretell_deletion
def what_becomes_of_groups(person_ids: set[int]) -> Iterator[str]:
    """To whom each passes, or that it ends."""
    of_group = {"group": OuterRef("pk")}
    owned = Exists(Ownership.objects.filter(**of_group, user__in=person_ids))
    joined = Exists(Membership.objects.filter(**of_group, user__in=person_ids))
    stays = Exists(Ownership.objects.filter(**of_group).exclude(user__in=person_ids))
    groups: Iterable[Any] = Group.objects.filter(owned | joined, ~stays).annotate(was_owned=owned).order_by("pk")
    for group in groups:
        link, heir = group_link(group.pk, group.name), heir_of(group, person_ids)
        if heir is None:
            yield format_html("The group {} ends, with all that was said there: nobody else is in it.", link)
        elif group.was_owned:
            yield format_html("The group {} passes to {}.", link, person_link(heir.pk, heir.display_name, heir.email))


class DeviceInline(ReadOnlyInline):
    model = Device
    fields = ("binding_type", "address", "created_at", "checked_at")
    show_change_link = True
    verbose_name_plural = "Phones and browsers"


@in_story("Groups", Ownership)
def owned(person_id: int) -> Part:
    rows = Ownership.objects.filter(user=person_id).select_related("group")
    return newest("Owner of", rows, GROUP, on_page(person_id, "ownerships"))


@in_story("Groups", Membership)
def belonged_to(person_id: int) -> Part:
    rows = Membership.objects.filter(user=person_id).select_related("group")
    return newest("Member of", rows, GROUP, on_page(person_id, "memberships"))


@in_story("Groups", Invitation)
def invited_to(person_id: int) -> Part:
    rows = Invitation.objects.filter(user=person_id).select_related("group", "invited_by")
    columns = {**GROUP, "by": lambda row: by_whom(row.invited_by)}
    return newest("Invited to", rows, columns, on_page(person_id, "invitations"))


@in_story("Groups", Invitation)
def invited_others(person_id: int) -> Part:
    rows = Invitation.objects.filter(invited_by=person_id).select_related("group", "user")
    return newest("Has invited", rows, {"whom": lambda row: by_whom(row.user), **GROUP})


@in_story("Groups", InvitationLink)
def invitation_links(person_id: int) -> Part:
    columns = {
        **GROUP,
        "sent to": lambda row: bdi(row.sent_to),
        "used": lambda row: f"{row.uses} of {row.max_uses}",
        "until": lambda row: row.expires_at,
    }
    rows = InvitationLink.objects.filter(made_by=person_id).select_related("group")
    return newest("Invitation links of theirs", rows, columns)


@in_story("Groups", Activity)
def activities(person_id: int) -> Part:
    columns = {"at": lambda row: row.created_at, "what": lambda row: bdi(row.activity), "group": GROUP["group"]}
    rows = Activity.objects.filter(user=person_id).select_related("group")
    return newest("What they did", rows, columns, listed(Activity, f"user__id__exact={person_id}"))


@in_story("What they were told", Device)
def devices(person_id: int) -> Part:
    columns = {
        "by": lambda row: linked(row, row.get_binding_type_display()),
        "registered": lambda row: row.created_at,
        "known to be there": lambda row: row.checked_at,
    }
    return newest(
        "Phones and browsers", Device.objects.filter(user=person_id), columns, on_page(person_id, "device_set")
    )


GROUP: dict[str, Callable[[Any], Any]] = {
    "group": lambda row: group_link(row.group_id, row.group.name),
    "since": lambda row: row.created_at,
}


def by_whom(user: User | None) -> str | None:
    return person_link(user.pk, user.display_name, user.email) if user else None


show_on_person(OwnedGroupInline, BelongedToGroupInline, InvitedToGroupInline, DeviceInline)
