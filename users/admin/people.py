"""The operators' pages about people."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.actions import delete_selected
from django.contrib.auth.admin import GroupAdmin as PermissionGroupAdmin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group as PermissionGroup
from django.contrib.messages import WARNING
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path

from core.transactions import lock_rows
from core.wire import dollars
from users.admin.forms import NewPersonForm, PersonForm
from users.erasing import DELETED
from users.models import Erasure, PendingVerification, User, VerifiedNumber
from users.operators import legible_column, password_first, reason_first
from users.operators.in_parts import MOST_AT_ONCE, PART, REST, packed, unpacked
from users.operators.log_in import LoginForm
from users.operators.one_write import as_one_write
from users.operators.pages import AskedAgain, ReadOnlyInline, ask_operator_again
from users.operators.reasons import reason_of
from users.operators.searching import by_number
from users.operators.sessions import end_all
from users.operators.story import story_of
from users.services import with_history
from users.signals import avatar_replaced
from users.verification.interface import verification

admin.site.site_header = admin.site.site_title = "Voice Chatroom"
admin.site.index_title = "Operations"
admin.site.login_form = LoginForm


STAYS_KNOWN = "Who did what stays known: take away “active” instead of deleting an account that did things here."
RIGHTS = {"email", "is_active", "is_staff", "is_superuser", "groups", "user_permissions"}


class VerifiedNumberInline(ReadOnlyInline):
    model = VerifiedNumber
    fields = ("number", "verified_at")
    verbose_name_plural = "Verified number"


class PendingVerificationInline(ReadOnlyInline):
    model = PendingVerification
    fields = ("number", "channel", "code", "tries", "expires_at")
    verbose_name_plural = "Code that is waited for"

    def code(self, pending: PendingVerification) -> str:
        """Where nothing is really sent, a developer reads it here."""
        shown = verification().code_of(pending.sid) if settings.VERIFICATION else ""
        return shown or "sent to the telephone alone"


@admin.register(User)
class PersonAdmin(AskedAgain, UserAdmin[User]):
    form = PersonForm
    add_form = NewPersonForm
    ordering = ("id",)
    list_display = ("id", "shown_email", "shown_name", "balance", "call_status", "last4", "is_staff", "created_at")
    list_display_links = ("shown_email",)
    list_filter = ("call_status", "is_staff", "created_at")
    search_fields = ("email", "display_name__has_text", "id__exact")
    search_help_text = "Part of an email or a name, an id, or a telephone's number as people write it."
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("Person", {"fields": ("display_name", "first_name", "last_name", "phone_number", "avatar", "call_status")}),
        ("Money", {"fields": ("balance", "last4", "stripe_id", "billing_subscription")}),
        ("Permissions", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Sign-in", {"fields": ("oidc_issuer", "oidc_subject")}),
        ("Dates", {"fields": ("created_at", "last_login")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("email", "display_name")}),
        ("Password", {"classes": ("wide",), "fields": ("usable_password", "password1", "password2")}),
    )
    readonly_fields = ("balance", "last4", "stripe_id", "oidc_issuer", "oidc_subject", "created_at", "last_login")
    actions = ("delete_selected", "unbind_sign_in", "end_sessions")
    inlines: ClassVar[Any] = (VerifiedNumberInline, PendingVerificationInline)
    shown_email, shown_name = legible_column("email"), legible_column("display_name")
    delete_confirmation_template = "admin/users/user/delete_confirmation.html"
    delete_selected_confirmation_template = "admin/users/user/delete_selected_confirmation.html"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        """A number may have blanks in it, and is looked for as a whole."""
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        return found | queryset.filter(by_number(search_term.strip())), may_repeat

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        person = self.get_object(request, object_id)
        follows = what_follows({person.pk}) if person else []
        return super().delete_view(request, object_id, {**(extra_context or {}), "follows": follows})

    @admin.action(description="Delete selected people", permissions=("delete",))
    def delete_selected(self, request: HttpRequest, people: QuerySet[User]) -> HttpResponse | None:
        """Django's own, which first asks; what follows from it is said there. Very many are deleted in parts."""
        pks = list(people.order_by("pk").values_list("pk", flat=True))
        if len(pks) > MOST_AT_ONCE and (kept := who_stays(request, pks)):
            self.message_user(
                request, f"{STAYS_KNOWN} Leave out: {', '.join(f'#{pk}' for pk in sorted(kept))}.", WARNING
            )
            return None
        if len(pks) > MOST_AT_ONCE:
            return self.show_parts(request, pks, len(pks))
        asked: TemplateResponse | None = delete_selected(self, request, people)
        if asked and asked.context_data is not None:
            asked.context_data["follows"] = what_follows(set(people.values_list("pk", flat=True)))
        return asked

    def get_urls(self) -> list[Any]:
        in_parts, story = self.admin_site.admin_view(self.delete_part), self.admin_site.admin_view(self.story)
        own = [
            path("delete-in-parts/", in_parts, name="users_user_parts_delete"),
            path("<int:person_id>/story/", story, name="users_user_story"),
        ]
        return [*own, *super().get_urls()]

    def story(self, request: HttpRequest, person_id: int) -> HttpResponse:
        """Of who is gone it is what has stayed."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        person = User.objects.filter(pk=person_id).first()
        if person is None and not Erasure.objects.filter(person_id=person_id).exists():
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            "title": "The whole story",
            "subtitle": str(person or f"{DELETED} {person_id}"),
            "opts": self.opts,
            "person": person,
            "sections": story_of(person_id, request),
        }
        return TemplateResponse(request, "admin/users/user/story.html", context)

    def delete_part(self, request: HttpRequest) -> HttpResponse:
        """The next hundred, in one transaction; who is gone already counts as done."""
        if not self.has_delete_permission(request):
            raise PermissionDenied
        found = unpacked(request.POST.get(REST, ""), request.user.pk)
        if found is None:
            self.message_user(request, "This page is too old, or not yours. Choose the people again.", WARNING)
            return redirect("admin:users_user_changelist")
        pks, total = found
        now, rest = pks[:PART], pks[PART:]
        as_one_write(request, partial(self.delete_these, request, now))
        if rest:
            return self.show_parts(request, rest, total)
        self.message_user(request, f"Deleted: {total - len(rest)} people.")
        return redirect("admin:users_user_changelist")

    def delete_these(self, request: HttpRequest, pks: list[int]) -> None:
        people = self.get_queryset(request).filter(pk__in=pks)
        if any(not may_touch(request, person) for person in people):
            raise PermissionDenied
        if who_stays(request, pks):
            raise PermissionDenied(STAYS_KNOWN)
        self.log_deletions(request, people)
        self.delete_queryset(request, people)

    def show_parts(self, request: HttpRequest, rest: list[int], total: int) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "Delete people in parts",
            "subtitle": None,
            "done": total - len(rest),
            "total": total,
            "part": PART,
            "rest": packed(rest, total, request.user.pk),
            "why": reason_of(request),
        }
        return TemplateResponse(request, "admin/users/user/in_parts.html", context)

    @admin.action(description="Unbind the sign-in of selected people", permissions=("change",))
    def unbind_sign_in(self, request: HttpRequest, people: QuerySet[User]) -> HttpResponse | None:
        """For whom another sign-in shall count: the next one that comes with their verified email is theirs."""
        if any(not may_touch(request, person) for person in people):
            raise PermissionDenied
        if asked := password_first(request) or reason_first(request):
            return asked
        with transaction.atomic():
            lock_rows(people.only("pk"))
            ask_operator_again(request)
            if not self.has_change_permission(request):
                raise PermissionDenied
            bound = people.exclude(oidc_subject=None)
            for person in bound:
                self.log_change(request, person, "Unbound the sign-in.")
            count = bound.update(oidc_issuer=None, oidc_subject=None)
        self.message_user(request, f"Unbound: {count}. The next sign-in with their verified email is theirs.")
        return None

    @admin.action(description="End the sessions of selected people", permissions=("change",))
    def end_sessions(self, request: HttpRequest, people: QuerySet[User]) -> HttpResponse | None:
        """Those of the admin; a sign-in of the apps ends with its token, or with the account's `active`."""
        if any(not may_touch(request, person) for person in people):
            raise PermissionDenied
        if asked := reason_first(request):
            return asked
        for person in people:
            self.log_change(request, person, "Ended the sessions.")
        self.message_user(request, f"Sessions ended: {end_all(people.values_list('pk', flat=True))}.")
        return None

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002  # Django's
        """Asked again at its end: it locks by writing."""
        page = partial(super().user_change_password, request, id, form_url)

        def change() -> HttpResponse:
            answer: HttpResponse = page()
            ask_operator_again(request)
            if not self.has_change_permission(request, self.get_object(request, id)):
                raise PermissionDenied
            return answer

        return as_one_write(request, change) if request.method == "POST" else page()

    @admin.display(ordering="account_balance_micros")
    def balance(self, user: User) -> str:
        return f"${dollars(user.account_balance_micros)}".replace("$-", "-$")

    def changeform_view(self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any) -> Any:
        """Who may do what, and by which address somebody is known, are changed with the password once more."""
        person = self.get_object(request, object_id) if object_id and request.method == "POST" else None
        is_guarded = person and self.has_change_permission(request, person) and self.moves_rights(request, person)
        asked = password_first(request) if is_guarded else None
        return asked or super().changeform_view(request, object_id, *args, **kwargs)

    def moves_rights(self, request: HttpRequest, person: User) -> bool:
        form = self.get_form(request, person, change=True)(request.POST, instance=person)
        return not RIGHTS.isdisjoint(form.changed_data)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: FBT001  # Django's
        super().save_model(request, obj, form, change)
        if change and "avatar" in form.changed_data and (old := form.initial["avatar"]):
            avatar_replaced.send(sender=User, user=obj, old=old)
        if not {"is_active", "is_staff"}.isdisjoint(form.changed_data) and not (obj.is_active and obj.is_staff):
            end_all([obj.pk])

    def get_inlines(self, request: HttpRequest, obj: User | None) -> Any:
        return super().get_inlines(request, obj) if obj else ()

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Only superusers hand out rights."""
        own = super().get_readonly_fields(request, obj)
        return own if is_superuser(request) else (*own, "is_staff", "is_superuser", "groups", "user_permissions")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and may_touch(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Who may delete a person may delete what hangs on them, also where its own page is read-only. What an operator
        did stays, and their account with it."""
        rows, counts, refused, protected = super().get_deleted_objects(objs, request)
        kept = who_stays(request, [person.pk for person in objs])
        done = [f"what was done in the admin by {person}. {STAYS_KNOWN}" for person in objs if person.pk in kept]
        return rows, counts, refused & {self.opts.verbose_name}, [*protected, *done]


admin.site.unregister(PermissionGroup)


@admin.register(PermissionGroup)
class RightsAdmin(AskedAgain, PermissionGroupAdmin):
    """Django's own page of rights that are given together, held to what holds for every page here."""


foretellers: list[Callable[[set[int]], Iterable[str]]] = []


def foretell_deletion(foreteller: Callable[[set[int]], Iterable[str]]) -> Callable[[set[int]], Iterable[str]]:
    """Lets an upper app say, before people are deleted together, what follows: in sentences, for their ids."""
    foretellers.append(foreteller)
    return foreteller


def what_follows(person_ids: set[int]) -> list[str]:
    return [sentence for foreteller in foretellers for sentence in foreteller(person_ids)]


def who_stays(request: HttpRequest, person_ids: list[int]) -> set[int]:
    """Who of these cannot be deleted: oneself neither, for to do it is to have done something."""
    return with_history(person_ids) | ({request.user.pk or 0} & {*person_ids})


def is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


def may_touch(request: HttpRequest, user: User | None) -> bool:
    """A superuser's account, and with it all rights, is safe from other staff."""
    return user is None or not user.is_superuser or is_superuser(request)


def show_on_person(*inlines: type[ReadOnlyInline]) -> None:
    """Lets an upper app show on the person's page what it keeps about them."""
    PersonAdmin.inlines = (*PersonAdmin.inlines, *inlines)
