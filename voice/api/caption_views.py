"""The doors of a group's captions: turning them on and off, reading them, and typing what is to be spoken."""

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from core.preconditions import conditional
from core.wire import read
from groups.api.pages import PagesViewSet
from groups.api.permissions import THE_GROUP, MayInGroup
from groups.api.serializers import CaptionSerializer
from groups.models import Caption, Group
from users.api.idempotent import AnswersAgain, idempotent
from users.api.permissions import PermissionsByAction
from users.api.standing import asking_again
from users.callers import caller_of
from users.limits import of_caller
from users.models import User
from voice.api.caption_serializers import CaptionChangesSerializer, CaptionRulesSerializer, NewMessageSerializer
from voice.api.permissions import MayChangeCaptions
from voice.captions.asking import caption_language
from voice.captions.messages import type_message
from voice.hosting.captions import settle_captions
from voice.models import GroupCall


def person_of(request: Request) -> User | None:
    caller = caller_of(request)
    return caller if isinstance(caller, User) else None


class CaptionViewSet(PermissionsByAction, PagesViewSet):
    permission_classes = (MayInGroup,)
    action_permissions = {"update": MayChangeCaptions}
    rules = {"list": THE_GROUP, "update": THE_GROUP}
    ordering = ("-created_at", "-id")
    row_keys = ("created_at", "id")
    serializer_class = CaptionSerializer

    @extend_schema(summary="What was said on the group's calls, newest first", responses=CaptionSerializer(many=True))
    def list(self, request: Request, group_id: int) -> Response:
        rows = Caption.objects.kept().filter(group_id=group_id).newest_first()
        return self.page_of(rows, CaptionSerializer, owners=Group.objects.all(), owner_id=group_id)

    @extend_schema(
        summary="Turn captions on or off",
        description="For the call that goes on, and whoever joins it: they end with it. Everybody on it hears so. What "
        "Twilio refuses stands among the activities, in the name of who has turned them on. Where the money does not "
        "carry them: 402 `not_enough_credit`.",
        operation_id="groups_captions_update",
        request=CaptionChangesSerializer,
        responses=CaptionRulesSerializer,
    )
    @conditional
    def update(self, request: Request, group_id: int) -> Response:
        sent, caller = read(CaptionChangesSerializer, request.data), person_of(request)
        by = caller.pk if caller else None
        rules = settle_captions(group_id=group_id, by=by, check=asking_again(self, request), **sent)
        return Response(CaptionRulesSerializer(shown(rules)).data)


def shown(rules: GroupCall) -> dict[str, object]:
    return {
        "captions": rules.captions,
        "language": caption_language(rules),
        "rate_micros": int(settings.CAPTION_RATE),
        "captions_keep": rules.captions_keep,
    }


class SpokenMessageViewSet(AnswersAgain, ViewSet):
    permission_classes = (MayInGroup,)
    rules = {"create": THE_GROUP}
    counted = ("create",)

    @extend_schema(
        summary="Type something, and have it spoken into the call",
        description="In the writer's name. What becomes of it comes as `caption` on `/api/live`, with the same id. "
        "Where nobody is on the call: 409 `no_call`.",
        operation_id="groups_spokenMessages_create",
        request=NewMessageSerializer,
        responses={201: CaptionSerializer},
    )
    @idempotent()
    def create(self, request: Request, group_id: int) -> Response:
        sent = read(NewMessageSerializer, request.data)
        message = type_message(
            group_id=group_id,
            by=person_of(request),
            who=of_caller(request),
            text=sent["text"],
            language=sent.get("language", ""),
            check=asking_again(self, request),
            now=timezone.now(),
        )
        self.made = message.pk
        return self.answer_again(request, message.pk, 201, group_id=group_id)

    def answer_again(self, request: Request, made: int, status: int, *, group_id: int) -> Response:
        rows = Caption.objects.filter(pk=made).values(*CaptionSerializer.columns)
        return Response(next(map(CaptionSerializer.shape, rows), None), status=status)
