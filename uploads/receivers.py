"""What follows the end of a person: the pictures that they uploaded, and the one that they showed, are deleted, too."""

from typing import Any

from django.db.models import Q
from django.db.models.signals import pre_delete

from uploads.models import Picture
from uploads.storage import storage
from users.models import User, VendorDeletion
from users.vendor_deletions import delete_at_vendor, tellers


def forget_pictures(sender: type[User], instance: User, **kwargs: Any) -> None:
    """Of whom it is that an image was uploaded by nobody who was signed in, its being shown says."""
    own = Picture.objects.filter(Q(user=instance) | Q(user=None, address=instance.avatar or ""))
    delete_at_vendor(VendorDeletion.Kind.PICTURE, own.values_list("name", flat=True))
    own.delete()


def delete_picture(name: str) -> None:
    """Not while somebody else shows it."""
    if not User.objects.filter(avatar__contains=name).exists():
        storage().delete(name)


def connect() -> None:
    pre_delete.connect(forget_pictures, sender=User, dispatch_uid="uploads.forget_pictures")
    tellers[VendorDeletion.Kind.PICTURE] = delete_picture
