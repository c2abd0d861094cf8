"""The operators' sign-in: tried so often from one address, and for one email, before a password is hashed."""

from typing import Any

from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError

from core.addresses import client_address
from users.limits import Full, Place, give_all_back, keyed, take_places

LIMIT = "admin_login"
TOO_OFTEN = "That was tried too often. Wait {} minutes, and try again."


class LoginForm(AdminAuthenticationForm):
    """What succeeds counts for nothing. Nothing tells whether there is such a person."""

    def clean(self) -> dict[str, Any]:
        places = self.take_places()
        cleaned: dict[str, Any] = super().clean()
        give_all_back(places)
        return cleaned

    def take_places(self) -> list[Place]:
        rate: tuple[int, int] | None = settings.THROTTLE_ADMIN_LOGIN
        email = self.cleaned_data.get("username")
        if rate is None or self.request is None or not email:
            return []
        address = client_address(self.request)
        whos = (keyed("address", address), keyed("login", email.lower()))
        answer = take_places(LIMIT, whos, *rate)
        if isinstance(answer, Full):
            raise ValidationError(TOO_OFTEN.format(-int(-answer.wait // 60)), code="throttled")
        return answer
