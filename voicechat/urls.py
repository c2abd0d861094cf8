"""The whole API on one screen. A route belongs to the app that owns what it returns, whatever its prefix."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, path, register_converter
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularSwaggerSplitView

from billing.api.statement_views import StatementViewSet
from billing.api.views import BalanceViewSet, CardViewSet, Last4ViewSet, PaymentViewSet, StripeWebhookViewSet
from core.wire import IdConverter
from groups.api.list_views import GroupPersonViewSet, InviteeViewSet, MemberViewSet, OwnerViewSet
from groups.api.person_views import UserGroupsViewSet
from groups.api.views import ActivityViewSet, GroupViewSet
from groups.invitations.views import AcceptanceViewSet, InvitationLinkViewSet, OpenInvitationViewSet
from groups.live.views import LiveViewSet, StreamTicketViewSet
from groups.notifications.views import DeviceViewSet
from uploads.views import UploadViewSet
from users.api.phone_views import PhoneVerificationViewSet
from users.api.unsubscribe_views import UnsubscribeViewSet
from users.api.views import NotificationChoicesViewSet, UserViewSet
from voice.api.announcement_views import AnnouncementViewSet
from voice.api.call_views import CallViewSet
from voice.api.caption_views import CaptionViewSet, SpokenMessageViewSet
from voice.api.dial_in_views import DialInCallViewSet, DialInViewSet
from voice.api.keypad_views import KeypadViewSet
from voice.api.participant_views import CallParticipantViewSet
from voice.api.ring_views import RingViewSet, RungCallViewSet
from voice.api.views import MakeCallViewSet, TokenViewSet, TwilioChargeViewSet, TwilioEventViewSet
from voicechat import errors
from voicechat.export.views import ExportViewSet
from voicechat.health import healthz, hello, readyz
from voicechat.media import media
from voicechat.schema_view import schema

register_converter(IdConverter, "id")

user, group, activity, groups_of = (
    view.as_view for view in (UserViewSet, GroupViewSet, ActivityViewSet, UserGroupsViewSet)
)
balance, last4, payment, card = (view.as_view for view in (BalanceViewSet, Last4ViewSet, PaymentViewSet, CardViewSet))
token, make_call, device, charge, event = (
    view.as_view for view in (TokenViewSet, MakeCallViewSet, DeviceViewSet, TwilioChargeViewSet, TwilioEventViewSet)
)
choices, no_more = NotificationChoicesViewSet.as_view, UnsubscribeViewSet.as_view
link, invitation, acceptance = (
    view.as_view for view in (InvitationLinkViewSet, OpenInvitationViewSet, AcceptanceViewSet)
)
group_call, captions = CallViewSet.as_view, CaptionViewSet.as_view
dial_in, dial_in_call = DialInViewSet.as_view, DialInCallViewSet.as_view
phone, export = PhoneVerificationViewSet.as_view, ExportViewSet.as_view
live, ticket = (view.as_view for view in (LiveViewSet, StreamTicketViewSet))
statement, webhook, upload = (view.as_view for view in (StatementViewSet, StripeWebhookViewSet, UploadViewSet))


def people(name: str, view: type[GroupPersonViewSet]) -> list[URLPattern]:
    """One of a group's four lists of people."""
    base = f"api/groups/<id:group_id>/{name}"
    everybody: dict[str, Any] = {"get": "list", "post": "create"}
    if view is CallParticipantViewSet:
        return [
            path(base, view.as_view({**everybody, "delete": "clear"})),
            path(f"{base}/<id:user_id>", view.as_view({"put": "mute", "delete": "destroy"})),
        ]
    return [
        path(base, view.as_view(everybody)),
        path(f"{base}/detailed", view.as_view({"get": "detailed"})),
        path(f"{base}/<id:user_id>", view.as_view({"delete": "destroy"})),
    ]


urlpatterns: list[URLPattern | URLResolver] = [
    path("", hello),
    path("healthz", healthz),
    path("readyz", readyz),
    # groups/: the first two are polled each second
    path("api/groups/<id:group_id>/callStatus", group({"get": "call_status", "put": "change_call_status"})),
    *people("callParticipants", CallParticipantViewSet),
    path("api/groups/<id:group_id>/activities", activity({"get": "list", "post": "create"})),
    path("api/users/<id:user_id>/detailed", groups_of({"get": "detailed"})),
    path("api/users/<id:user_id>/groupsOwned", groups_of({"get": "owned"})),
    path("api/users/<id:user_id>/groupsBelongedTo", groups_of({"get": "belonged_to"})),
    path("api/users/<id:user_id>/groupsInvitedTo", groups_of({"get": "invited_to"})),
    path("api/groups", group({"get": "list", "post": "create"})),
    path("api/groups/<id:group_id>", group({"get": "retrieve", "put": "update", "delete": "destroy"})),
    *people("groupOwners", OwnerViewSet),
    *people("groupMembers", MemberViewSet),
    *people("groupInvitees", InviteeViewSet),
    path("api/groups/<id:group_id>/invitationLinks", link({"get": "list", "post": "create"})),
    path("api/groups/<id:group_id>/invitationLinks/<id:link_id>", link({"delete": "destroy"})),
    path("api/groups/invitations/<str:token>", invitation({"get": "retrieve"})),
    path("api/groups/invitations/<str:token>/accept", acceptance({"post": "create"})),
    path("api/voice/registerBinding", device({"post": "create", "delete": "destroy"})),
    path("api/voice/register-binding", device({"post": "create", "delete": "destroy"})),
    path("api/voice/sendNotification", device({"post": "notify"})),
    path("api/voice/send-notification", device({"post": "notify"})),
    path("api/live", live({"get": "stream"})),
    path("api/live/tickets", ticket({"post": "create"})),
    # users/
    path("api/users", user({"get": "list", "post": "create"})),
    path("api/users/<id:user_id>", user({"get": "retrieve", "put": "update", "delete": "destroy"})),
    path("api/users/<id:user_id>/phoneVerification", phone({"get": "retrieve", "post": "create", "delete": "destroy"})),
    path("api/users/<id:user_id>/phoneVerification/check", phone({"post": "check"})),
    path("api/users/<id:user_id>/notifications", choices({"get": "retrieve", "put": "update"})),
    path("api/users/unsubscribe", no_more({"get": "ask", "post": "unsubscribe"})),
    path("api/users/<id:user_id>/export", export({"get": "retrieve"})),
    path("api/users/<id:user_id>/export/<uuid:export_id>", export({"get": "made"}), name="export"),
    # voice/
    path("api/groups/<id:group_id>/call", group_call({"get": "retrieve", "put": "update"})),
    path("api/groups/<id:group_id>/call/unknownCallers", group_call({"delete": "remove_unknown_callers"})),
    path(
        "api/groups/<id:group_id>/call/endWhenAlone",
        group_call({"get": "end_when_alone", "put": "change_end_when_alone"}),
    ),
    path("api/groups/<id:group_id>/call/language", group_call({"get": "language", "put": "change_language"})),
    path("api/groups/<id:group_id>/captions", captions({"get": "list", "put": "update"})),
    path("api/groups/<id:group_id>/spokenMessages", SpokenMessageViewSet.as_view({"post": "create"})),
    path("api/groups/<id:group_id>/ring", RingViewSet.as_view({"post": "create"})),
    path("api/voice/ringAnswer", RungCallViewSet.as_view({"post": "answered"})),
    path("api/voice/announcement", AnnouncementViewSet.as_view({"post": "create"})),
    path("api/voice/accessToken", token({"get": "retrieve"})),
    path("api/voice/makeCall", make_call({"get": "retrieve", "post": "create"})),
    path("api/groups/<id:group_id>/dialIn", dial_in({"get": "retrieve"})),
    path("api/groups/<id:group_id>/dialIn/pin", dial_in({"post": "renew"})),
    path("api/voice/dialIn", dial_in_call({"post": "call"})),
    path("api/voice/keypad", KeypadViewSet.as_view({"post": "pressed"})),
    path("api/voice/dialIn/pin", dial_in_call({"post": "code"})),
    path("api/voice/conferenceEvents", event({"post": "conference"})),
    path("api/voice/callEvents", event({"post": "call"})),
    path("api/voice/captionEvents", event({"post": "captions"})),
    path("api/billing/allTwilioCharges", charge({"get": "all"})),
    path("api/billing/groupTwilioCharges", charge({"post": "of_group"})),
    # billing/
    path("api/users/<id:user_id>/accountBalance", balance({"get": "retrieve", "put": "update"})),
    path("api/users/<id:user_id>/last4", last4({"get": "retrieve", "put": "update"})),
    path("api/users/<id:user_id>/statement", statement({"get": "list"})),
    path("api/billing/addMoney", payment({"post": "add_money"})),
    path("api/billing/createCharge", payment({"post": "create_charge"})),
    path("api/billing/userStripeCharges", payment({"post": "user_stripe_charges"})),
    path("api/billing/attachSourceToCustomer", card({"post": "attach_source"})),
    path("api/billing/retrieveCustomerDefaultSource", card({"post": "retrieve_default_source"})),
    path("api/billing/updateCreditCard", card({"post": "update_credit_card"})),
    path("api/billing/updateDefaultSource", card({"post": "update_default_source"})),
    path("api/billing/stripeWebhook", webhook({"post": "receive"})),
    # uploads/
    path("api/upload", upload({"post": "create"})),
    # pages
    path("api/schema", schema, name="schema"),
    path("api/docs", SpectacularSwaggerSplitView.as_view(url_name="schema")),
    path("admin", RedirectView.as_view(url="/admin/")),
    path("admin/", admin.site.urls),
]
if not settings.PRODUCTION:
    urlpatterns.append(path("media/<str:name>", media))

handler400 = errors.bad_request
handler403 = errors.permission_denied
handler404 = errors.not_found
handler500 = errors.server_error
