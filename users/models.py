"""The people: the project's user model, on the specification's `users` table."""

from typing import Any, ClassVar
from uuid import uuid4

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Lower
from django.utils import timezone

from core import timestamps
from core.email_addresses import LONGEST_KEY, email_key
from core.legible import isolated, legible

models.EmailField.register_lookup(Lower)  # email__lower=… uses the index that keeps emails unique without case


class UserQuerySet(models.QuerySet["User"]):
    def with_email(self, email: str) -> "UserQuerySet":
        """Whose address no mail server tells apart from this one, or the database's own folding does not."""
        return self.filter(has_email(email))

    def matching(self, search: str) -> "UserQuerySet":
        """Part of a display name, or a whole email."""
        return self.filter(Q(display_name__has_text=search) | has_email(search))

    def update(self, **changes: Any) -> int:
        if "email" in changes:
            changes["email_key"] = email_key(changes["email"])
        return super().update(**changes)


def has_email(email: str) -> Q:
    """By its key, which rows do not have that others inserted, and as the constraint below folds it."""
    return Q(email_key=email_key(email)) | Q(email__lower=Lower(Value(email)))


class EmailKeyField(models.CharField[Any, Any]):
    """Written with the `email` beside it: the database cannot make it, for it knows no IDNA."""

    def deconstruct(self) -> Any:
        """A column like any other, to the migrations."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs

    def pre_save(self, model_instance: Any, add: bool) -> str:  # noqa: FBT001  # Django's own
        key = email_key(model_instance.email)
        setattr(model_instance, self.attname, key)
        return key


class UserManager(BaseUserManager["User"]):
    def get_queryset(self) -> UserQuerySet:
        return UserQuerySet(self.model, using=self._db)

    def with_email(self, email: str) -> UserQuerySet:
        return self.get_queryset().with_email(email)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.with_email(username or "").get()

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """The operator that `manage.py createsuperuser` makes."""
        display_name = fields.pop("display_name", None) or email.partition("@")[0]
        user = self.model(email=email, display_name=display_name, is_staff=True, is_superuser=True, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """A person. Columns beyond the specification's have database defaults, so that its own INSERTs go on working."""

    email = models.EmailField(max_length=128, unique=True)
    email_key = EmailKeyField(max_length=LONGEST_KEY, null=True, unique=True, editable=False, db_column="emailKey")
    display_name = models.CharField(max_length=128, db_column="displayName")
    first_name = models.CharField(max_length=128, null=True, blank=True, db_column="firstName")
    last_name = models.CharField(max_length=128, null=True, blank=True, db_column="lastName")
    avatar = models.CharField(max_length=256, null=True, blank=True)
    phone_number = models.BigIntegerField(
        null=True, blank=True, db_column="phoneNumber", help_text="E.164 digits without the plus."
    )
    call_status = models.BooleanField("on a call", default=False, db_default=False, db_column="callStatus")
    call_status_at = timestamps.since_inserted("callStatusAt")
    """When a client or an operator last changed it."""
    stripe_id = models.CharField(max_length=128, null=True, blank=True, db_column="stripeId", unique=True)
    billing_subscription = models.CharField(
        max_length=128, default="free", db_default="free", db_column="billingSubcription"
    )
    account_balance_micros = models.BigIntegerField(
        "balance",
        null=True,
        blank=True,
        db_column="accountBalance",
        help_text="Micro-dollars: the cached sum of the person's ledger entries.",
    )
    last4 = models.CharField(max_length=4, null=True, blank=True)
    created_at = timestamps.created_at()
    version = timestamps.version()

    password = models.CharField(max_length=128, default="!", db_default="!")  # "!" is no password at all
    is_superuser = models.BooleanField(default=False, db_default=False)
    is_staff = models.BooleanField("staff", default=False, db_default=False)
    is_active = models.BooleanField("active", default=True, db_default=True)
    oidc_issuer = models.CharField("sign-in's issuer", max_length=255, null=True, blank=True, db_column="oidcIssuer")
    oidc_subject = models.CharField("sign-in", max_length=255, null=True, blank=True, db_column="oidcSubject")

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["display_name"]

    objects = UserManager()

    class Meta:
        db_table = "users"
        ordering = ("id",)
        verbose_name = "person"
        verbose_name_plural = "people"
        indexes = (models.Index(fields=("call_status_at",), condition=Q(call_status=True), name="users_on_a_call"),)
        constraints = (
            models.UniqueConstraint(Lower("email"), name="users_email_without_case"),
            models.UniqueConstraint(fields=("oidc_issuer", "oidc_subject"), name="users_one_person_a_sign_in"),
            models.CheckConstraint(
                condition=Q(oidc_issuer=None, oidc_subject=None)
                | Q(oidc_issuer__isnull=False, oidc_subject__isnull=False),
                name="users_whole_sign_in",
            ),
        )

    def __str__(self) -> str:
        """By what is theirs alone first: the name may pretend to be anything."""
        return f"#{self.pk} {isolated(self.email)} {isolated(self.display_name)}"

    def save(self, **kwargs: Any) -> None:
        """Never writes the balance of a person who is there already: it is the ledger's, and may have moved since they
        were read. An email that changes takes its key along.
        """
        named = kwargs.get("update_fields")
        if named is None and not self._state.adding:
            unread = {*self.get_deferred_fields(), "id", "account_balance_micros"}
            kwargs["update_fields"] = {each.name for each in self._meta.concrete_fields if each.attname not in unread}
        elif named and "email" in named:
            kwargs["update_fields"] = {*named, "email_key"}
        super().save(**kwargs)

    def get_short_name(self) -> str:
        """How the admin greets its operator."""
        return legible(self.display_name)


class VerifiedNumber(models.Model):
    """The telephone by which a person is known. Only this is an identity: `phoneNumber` is what they say of themselves.

    Several people may have verified one number: those who share a landline.
    """

    user = models.OneToOneField(User, models.CASCADE, related_name="verified_number", verbose_name="person")
    number = models.CharField(max_length=16, db_index=True, help_text="Its one form: E.164, with the plus.")
    verified_at = models.DateTimeField()

    class Meta:
        db_table = "verifiedNumbers"
        ordering = ("id",)

    def __str__(self) -> str:
        return self.number


class PendingVerification(models.Model):
    """That a code was sent to a telephone, and is waited for. A new one takes its place."""

    class Channel(models.TextChoices):
        SMS = "sms", "by SMS"
        CALL = "call", "spoken"

    user = models.OneToOneField(User, models.CASCADE, related_name="pending_verification", verbose_name="person")
    number = models.CharField(max_length=16, help_text="Its one form: E.164, with the plus.")
    channel = models.CharField(max_length=8, choices=Channel)
    sid = models.CharField(max_length=64, help_text="The verification service's id of the code.")
    tries = models.PositiveSmallIntegerField("codes tried", default=0)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "pendingVerifications"
        ordering = ("id",)

    def __str__(self) -> str:
        return self.number


class IssuerKeys(models.Model):
    """The last good keys of the issuer of sign-ins, shared by all processes, for while it does not answer."""

    issuer = models.CharField(max_length=255, primary_key=True)
    keys = models.JSONField(help_text="Public keys, as https://www.rfc-editor.org/rfc/rfc7517 writes them.")
    fetched_at = models.DateTimeField()

    class Meta:
        db_table = "issuerKeys"

    def __str__(self) -> str:
        return self.issuer


class VendorDeletion(models.Model):
    """That a vendor is to delete what it keeps of somebody who is deleted here. It goes once the vendor has done so."""

    class Kind(models.TextChoices):
        CUSTOMER = "customer", "customer at Stripe, with its cards"
        PICTURE = "picture", "picture"
        BINDING = "binding", "device at the notification service"

    kind = models.CharField(max_length=16, choices=Kind)
    name = models.CharField(max_length=255, help_text="The vendor's id of it.")
    person_id = models.BigIntegerField(
        "person", null=True, blank=True, db_index=True, help_text="Who is deleted; empty where only this thing is."
    )
    asked_at = models.DateTimeField(default=timezone.now)
    tries = models.PositiveIntegerField(default=0)
    try_at = models.DateTimeField("next try", default=timezone.now, db_index=True)
    fault = models.CharField("last fault", max_length=64, blank=True, default="")

    class Meta:
        db_table = "vendorDeletions"
        ordering = ("asked_at", "id")
        constraints = (models.UniqueConstraint(fields=("kind", "name"), name="vendor_deletion_asked_once"),)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.name}"


class Erasure(models.Model):
    """That somebody was deleted here, so that it can be shown that it was done. It names nobody."""

    person_id = models.BigIntegerField("person", unique=True, help_text="The id that they had.")
    erased_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "erasures"
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"#{self.person_id}"


class Export(models.Model):
    """All that is kept about a person, as they asked for it: made by a job, for there is much, and kept for a day."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="exports")
    ordered_at = models.DateTimeField(default=timezone.now, db_index=True)
    made_at = models.DateTimeField(null=True, blank=True)
    content = models.BinaryField(null=True, blank=True, help_text="The ZIP, once it is made.")

    class Meta:
        db_table = "exports"
        ordering = ("-ordered_at",)

    def __str__(self) -> str:
        return str(self.pk)


class LimitCount(models.Model):
    """How much of a limit somebody has used. It outlives the person, and names nobody: `who` is a keyed hash."""

    limit = models.CharField(max_length=32)
    who = models.CharField(max_length=64)
    taken = models.JSONField(default=list, help_text="Until when each place is taken, in seconds since 1970.")
    until = models.DateTimeField(default=timezone.now, db_index=True, help_text="When nothing is counted any more.")

    class Meta:
        db_table = "limitCounts"
        constraints = (models.UniqueConstraint(fields=("limit", "who"), name="limit_count_one_row"),)

    def __str__(self) -> str:
        return f"{self.limit} {self.pk}"


class KeptAnswer(models.Model):
    """What was answered to a request with an Idempotency-Key, for a day; or that it is at work."""

    name = models.CharField(primary_key=True, max_length=64, help_text="Caller, address and key, as a keyed hash.")
    body = models.CharField(max_length=64, help_text="What was sent, as a keyed hash.")
    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True, related_name="+", verbose_name="person")
    status = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Empty while the request is at work.")
    made = models.JSONField(null=True, blank=True, help_text="What the answer is made anew from.")
    until = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "keptAnswers"

    def __str__(self) -> str:
        return f"kept answer {self.name[:8]}"


class StreamTicket(models.Model):
    """Lets a browser's EventSource in, which can send no token. Used once, within half a minute."""

    digest = models.CharField(primary_key=True, max_length=64, help_text="Of the ticket, which nobody keeps.")
    user = models.ForeignKey(
        User,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="person",
        help_text="Empty in open mode.",
    )
    until = models.DateTimeField(db_index=True)
    signed_in_until = models.DateTimeField(null=True, help_text="When the token ends by which it was asked for.")

    class Meta:
        db_table = "streamTickets"

    def __str__(self) -> str:
        return f"ticket {self.digest[:8]}"


class NotificationChoices(models.Model):
    """By which ways somebody wants to be told. Who has never chosen has no row: the defaults are theirs."""

    user = models.OneToOneField(
        User, models.CASCADE, primary_key=True, related_name="notification_choices", verbose_name="person"
    )
    push = models.BooleanField("by push", default=True, db_default=True)
    email = models.BooleanField("by e-mail", default=True, db_default=True)
    sms = models.BooleanField("by SMS", default=False, db_default=False)

    class Meta:
        db_table = "notificationChoices"
        verbose_name_plural = "notification choices"

    def __str__(self) -> str:
        return f"choices of person {self.pk}"
