"""What a group's owners have settled for its calls."""

from django.core.validators import RegexValidator
from django.db import models

from groups.models import Group


class GroupCallQuerySet(models.QuerySet["GroupCall"]):
    def is_locked(self, group_id: int) -> bool:
        return self.filter(pk=group_id, locked=True).exists()

    def unlock(self, group_id: int) -> None:
        self.filter(pk=group_id, locked=True).update(locked=False)


class GroupCall(models.Model):
    """A group of which nobody has settled anything has no row. Whoever writes one holds the group's lock."""

    group = models.OneToOneField(Group, models.CASCADE, primary_key=True, related_name="+", db_column="groupId")
    locked = models.BooleanField(
        default=False, db_default=False, help_text="Nobody is let in. It ends when the last one has left."
    )
    end_when_alone = models.BooleanField(
        default=True,
        db_default=True,
        db_column="endWhenAlone",
        help_text="Who is alone on a call is hung up on, as END_WHEN_ALONE says.",
    )

    language = models.CharField(
        max_length=35,
        blank=True,
        default="",
        db_default="",
        validators=[RegexValidator("^[a-z]{2,3}(-[A-Za-z0-9]{1,8})*\\Z", "Write it as BCP 47 does, such as de-DE.")],
        help_text="In which it is spoken to, as BCP 47 writes it. German (de-DE) and English are spoken; whatever else "
        "stands here is English, and so is nothing.",
    )

    objects = GroupCallQuerySet.as_manager()

    class Meta:
        db_table = "groupCalls"
        ordering = ("group",)
        verbose_name = "rule of a group's calls"
        verbose_name_plural = "rules of groups' calls"

    def __str__(self) -> str:
        return f"rules of group {self.pk}"
