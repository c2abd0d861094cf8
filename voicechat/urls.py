"""The whole API on one screen. A route belongs to the app that owns what it returns, whatever its prefix."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, path, register_converter
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerView

from billing.views import BalanceViewSet, CardViewSet, Last4ViewSet, PaymentViewSet, StripeWebhookViewSet
from groups.views import (
    ActivityViewSet,
    GroupViewSet,
    InviteeViewSet,
    LinkViewSet,
    MemberViewSet,
    OwnerViewSet,
    ParticipantViewSet,
    UserGroupsViewSet,
)
from uploads.views import UploadViewSet
from users.views import UserViewSet
from users.wire import IdConverter
from voice.views import DeviceViewSet, MakeCallViewSet, TokenViewSet, TwilioChargeViewSet, TwilioEventViewSet
from voicechat import errors
from voicechat.health import healthz, hello, readyz
from voicechat.media import media

register_converter(IdConverter, "id")

User, Group, Activity, Groups = (
    UserViewSet.as_view,
    GroupViewSet.as_view,
    ActivityViewSet.as_view,
    UserGroupsViewSet.as_view,
)
Balance, Last4, Payment, Card = (
    BalanceViewSet.as_view,
    Last4ViewSet.as_view,
    PaymentViewSet.as_view,
    CardViewSet.as_view,
)
Device, Charge, TwilioEvent = DeviceViewSet.as_view, TwilioChargeViewSet.as_view, TwilioEventViewSet.as_view


def people(name: str, view: type[LinkViewSet]) -> list[URLPattern]:
    """One of a group's four lists of people."""
    base = f"api/groups/<id:group_id>/{name}"
    everybody: dict[str, Any] = {"get": "list", "post": "create"}
    if view is ParticipantViewSet:
        return [
            path(base, view.as_view({**everybody, "delete": "clear"})),
            path(f"{base}/<id:user_id>", view.as_view({"delete": "destroy"})),
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
    path("api/groups/<id:group_id>/callStatus", Group({"get": "call_status", "put": "change_call_status"})),
    *people("callParticipants", ParticipantViewSet),
    path("api/groups/<id:group_id>/activities", Activity({"get": "list", "post": "create"})),
    path("api/users/<id:user_id>/detailed", Groups({"get": "detailed"})),
    path("api/users/<id:user_id>/groupsOwned", Groups({"get": "owned"})),
    path("api/users/<id:user_id>/groupsBelongedTo", Groups({"get": "belonged_to"})),
    path("api/users/<id:user_id>/groupsInvitedTo", Groups({"get": "invited_to"})),
    path("api/groups", Group({"get": "list", "post": "create"})),
    path("api/groups/<id:group_id>", Group({"get": "retrieve", "put": "update", "delete": "destroy"})),
    *people("groupOwners", OwnerViewSet),
    *people("groupMembers", MemberViewSet),
    *people("groupInvitees", InviteeViewSet),
    # users/
    path("api/users", User({"get": "list", "post": "create"})),
    path("api/users/<id:user_id>", User({"get": "retrieve", "put": "update", "delete": "destroy"})),
    # voice/
    path("api/voice/accessToken", TokenViewSet.as_view({"get": "retrieve"})),
    path("api/voice/makeCall", MakeCallViewSet.as_view({"get": "retrieve", "post": "create"})),
    path("api/voice/registerBinding", Device({"post": "create"})),
    path("api/voice/register-binding", Device({"post": "create"})),
    path("api/voice/sendNotification", Device({"post": "notify"})),
    path("api/voice/send-notification", Device({"post": "notify"})),
    path("api/voice/conferenceEvents", TwilioEvent({"post": "conference"})),
    path("api/voice/callEvents", TwilioEvent({"post": "call"})),
    path("api/billing/allTwilioCharges", Charge({"get": "all"})),
    path("api/billing/groupTwilioCharges", Charge({"post": "of_group"})),
    # billing/
    path("api/users/<id:user_id>/accountBalance", Balance({"get": "retrieve", "put": "update"})),
    path("api/users/<id:user_id>/last4", Last4({"get": "retrieve", "put": "update"})),
    path("api/billing/addMoney", Payment({"post": "add_money"})),
    path("api/billing/createCharge", Payment({"post": "create_charge"})),
    path("api/billing/userStripeCharges", Payment({"post": "user_stripe_charges"})),
    path("api/billing/attachSourceToCustomer", Card({"post": "attach_source"})),
    path("api/billing/retrieveCustomerDefaultSource", Card({"post": "retrieve_default_source"})),
    path("api/billing/updateCreditCard", Card({"post": "update_credit_card"})),
    path("api/billing/updateDefaultSource", Card({"post": "update_default_source"})),
    path("api/billing/stripeWebhook", StripeWebhookViewSet.as_view({"post": "receive"})),
    # uploads/
    path("api/upload", UploadViewSet.as_view({"post": "create"})),
    # pages
    path("api/schema", SpectacularJSONAPIView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerView.as_view(url_name="schema")),
    path("admin", RedirectView.as_view(url="/admin/")),
    path("admin/", admin.site.urls),
]
if not settings.PRODUCTION:
    urlpatterns.append(path("media/<str:name>", media))

handler400 = errors.bad_request
handler403 = errors.permission_denied
handler404 = errors.not_found
handler500 = errors.server_error
