"""What a group's owners have settled for its calls."""

from django.core.validators import RegexValidator
from django.db import models

from groups.models import Group


class GroupCallQuerySet(models.QuerySet["GroupCall"]):
    def is_locked(self, group_id: int) -> bool:
        return self.filter(pk=group_id, locked=True).exists()

    def with_captions(self, group_id: int) -> "GroupCall | None":
        """The group's rules, where what is said on its call is written down."""
        return self.filter(pk=group_id, captions=True).first()

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
    captions = models.BooleanField(
        default=False, db_default=False, help_text="What is said is written down. It ends when the last one has left."
    )
    captions_language = models.CharField(
        max_length=35,
        default="",
        db_default="",
        blank=True,
        db_column="captionsLanguage",
        help_text="As BCP 47 writes it; empty for the one in which the group is spoken to.",
    )
    captions_keep = models.BooleanField(
        default=True, db_default=True, db_column="captionsKeep", help_text="Captions are kept, and not only told."
    )
    captions_by = models.BigIntegerField(
        null=True, blank=True, db_column="captionsBy", help_text="Who has turned them on."
    )
    captions_changed_at = models.DateTimeField(
        null=True, blank=True, db_column="captionsChangedAt", help_text="When they were last turned on or off."
    )
    captions_warned_at = models.DateTimeField(
        null=True, blank=True, db_column="captionsWarnedAt", help_text="When people heard that the money ends them."
    )

    objects = GroupCallQuerySet.as_manager()

    class Meta:
        db_table = "groupCalls"
        ordering = ("group",)
        verbose_name = "rule of a group's calls"
        verbose_name_plural = "rules of groups' calls"

    def __str__(self) -> str:
        return f"rules of group {self.pk}"
