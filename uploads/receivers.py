"""Pictures that are deleted: with a person all that they uploaded, and the one that they showed; and one that was
replaced, an hour later."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.db.models.signals import pre_delete
from django.utils import timezone
from django_tasks import task

from uploads.models import Picture
from uploads.storage import storage
from users.models import User, VendorDeletion
from users.signals import avatar_replaced
from users.vendor_deletions import delete_at_vendor, tellers

UNSEEN_FOR = timedelta(hours=1)


def forget_pictures(sender: type[User], instance: User, **kwargs: Any) -> None:
    """Of whom it is that an image was uploaded by nobody who was signed in, its being shown says."""
    own = Picture.objects.filter(Q(user=instance) | Q(user=None, address=instance.avatar or ""))
    delete_at_vendor(VendorDeletion.Kind.PICTURE, own.values_list("name", flat=True), person_id=instance.pk)
    own.delete()


def forget_when_unseen(sender: type[User], user: User, old: str, **kwargs: Any) -> None:
    """Not at once: pages that are open still show it, and who took the wrong one takes it back."""
    if Picture.objects.filter(Q(user=user) | Q(user=None), address=old).exists():
        forget_unseen.using(run_after=timezone.now() + UNSEEN_FOR).enqueue(old)


@task
def forget_unseen(address: str) -> None:
    """An uploaded picture that nobody shows any more."""
    with transaction.atomic():
        unseen = Picture.objects.select_for_update(no_key=True).filter(address=address)
        if not User.objects.filter(avatar=address).exists():
            delete_at_vendor(VendorDeletion.Kind.PICTURE, unseen.values_list("name", flat=True))
            unseen.delete()


def delete_picture(name: str) -> None:
    """Not while somebody else shows it."""
    if not User.objects.filter(avatar__contains=name).exists():
        storage().delete(name)


def connect() -> None:
    pre_delete.connect(forget_pictures, sender=User, dispatch_uid="uploads.forget_pictures")
    avatar_replaced.connect(forget_when_unseen, sender=User, dispatch_uid="uploads.forget_when_unseen")
    tellers[VendorDeletion.Kind.PICTURE] = delete_picture
