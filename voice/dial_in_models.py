"""What people dial, and the codes by which they are let in."""

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone

from groups.models import Group


class DialInNumber(models.Model):
    """A number at Twilio that leads to one group alone. It is longer than the specified `groups.phoneNumber` holds."""

    group = models.ForeignKey(Group, models.CASCADE, related_name="dial_in_numbers", db_column="groupId")
    number = models.CharField(
        max_length=16,
        unique=True,
        validators=[RegexValidator(r"^\+[1-9][0-9]{6,14}\Z", "Write all of it, such as +12025550123.")],
        help_text="With its plus and its country code, such as +12025550123.",
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "dialInNumbers"
        ordering = ("id",)
        verbose_name = "number of a group's own"
        verbose_name_plural = "numbers of groups' own"

    def __str__(self) -> str:
        return self.number


class DialInCode(models.Model):
    """That a person has a code for a group: eight digits, by which any telephone is let in as them.

    The code itself stands nowhere. It follows from `seed` and SECRET_KEY; who types it is found by `digest`, which does
    so too (`voice/dial_in/codes.py`).
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_column="userId", verbose_name="person"
    )
    group = models.ForeignKey(Group, models.CASCADE, related_name="+", db_column="groupId", db_index=False)
    seed = models.CharField(max_length=32, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "dialInCodes"
        constraints = (models.UniqueConstraint(fields=("group", "user"), name="dial_in_code_one_row"),)

    def __str__(self) -> str:
        return f"code {self.pk}"
