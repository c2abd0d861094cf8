"""What an operator may write about a person."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.core.exceptions import ValidationError

from core.phone_numbers import NO_SUCH_NUMBER, is_phone_number
from core.picture_addresses import NO_PICTURE_ADDRESS, is_picture_address
from users.models import User


class UniqueEmail:
    """Says in plain words what the database would refuse: emails are unique without case."""

    cleaned_data: dict[str, Any]
    changed_data: list[str]
    instance: User

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        if "email" in self.changed_data and User.objects.with_email(email).exclude(pk=self.instance.pk).exists():
            raise ValidationError("Somebody else has this email.")
        return email


class NewPersonForm(UniqueEmail, AdminUserCreationForm[User]):
    class Meta:
        model = User
        fields = ("email", "display_name")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        password = self.fields["usable_password"]
        password.initial, password.help_text = "false", "Only operators need one: it opens these pages."


class PersonForm(UniqueEmail, UserChangeForm[User]):
    class Meta:
        model = User
        fields = forms.ALL_FIELDS
        labels = {"groups": "Permission groups", "is_superuser": "Superuser"}

    def clean_phone_number(self) -> int | None:
        """The API's rule. What was stored before it must not keep an operator from changing the rest."""
        phone_number: int | None = self.cleaned_data["phone_number"]
        is_new = phone_number is not None and "phone_number" in self.changed_data
        if is_new and not is_phone_number(str(phone_number)):
            raise ValidationError(NO_SUCH_NUMBER)
        return phone_number

    def clean_avatar(self) -> str | None:
        """The API's rule, for what is new."""
        avatar: str | None = self.cleaned_data["avatar"]
        if avatar and "avatar" in self.changed_data and not is_picture_address(avatar):
            raise ValidationError(NO_PICTURE_ADDRESS)
        return avatar
