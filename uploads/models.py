"""The images that are kept, so that they can be deleted with whoever uploaded them."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class Picture(models.Model):
    """An image at the image service. That somebody shows one as their avatar does not make it theirs."""

    address = models.CharField(primary_key=True, max_length=512)
    name = models.CharField(max_length=255, help_text="The image service's id of it.")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="pictures",
        verbose_name="person",
        help_text="Who uploaded it; empty where nobody was signed in.",
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "pictures"
        ordering = ("created_at",)

    def __str__(self) -> str:
        return self.name
