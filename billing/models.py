"""Money: an append-only ledger in whole micro-dollars, and the payments that fill it."""

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q, Sum
from django.utils import timezone

from core.claims import try_at
from core.wire import MICROS_PER_CENT


class Account(models.Model):
    """A person's money, opened with the first need. Its row is what a posting locks, and it outlives the person."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="account",
        help_text="Empty once the person is deleted.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        db_table = "accounts"
        ordering = ("id",)

    def __str__(self) -> str:
        return f"Account {self.pk}"

    def balance_micros(self) -> int:
        """The balance after the newest entry."""
        newest = self.entries.order_by("-id").values_list("balance_after_micros", flat=True).first()
        return newest or 0

    def reserved_micros(self) -> int:
        """What refunds that are under way will take: it is still in the balance, and there for nothing else."""
        pending = self.refund_requests.filter(status=RefundRequest.Status.PENDING)
        cents: int | None = pending.aggregate(cents=Sum("amount_cents"))["cents"]
        return (cents or 0) * MICROS_PER_CENT


COMES, GOES = ("top_up", "dispute_won"), ("dispute",)
EITHER_WAY = ("call", "refund", "adjustment", "opening_balance")  # a call is corrected, and a refund may come back


def signs_of_entries() -> Q:
    """Which kinds of entries there are, and which way each may move money; none moves nothing."""
    moves = Q(amount_micros__gt=0) | Q(amount_micros__lt=0)
    return (
        Q(kind__in=COMES, amount_micros__gt=0) | Q(kind__in=GOES, amount_micros__lt=0) | Q(kind__in=EITHER_WAY) & moves
    )


class LedgerEntry(models.Model):
    """One movement of money. Nothing here ever changes: the database refuses it (`billing/triggers.py`)."""

    class Kind(models.TextChoices):
        TOP_UP = "top_up", "top-up"
        CALL = "call", "call"
        REFUND = "refund", "refund"
        DISPUTE = "dispute", "dispute"
        DISPUTE_WON = "dispute_won", "dispute won"
        ADJUSTMENT = "adjustment", "adjustment"
        OPENING_BALANCE = "opening_balance", "opening balance"

    account = models.ForeignKey(Account, models.PROTECT, related_name="entries", db_index=False)
    reference = models.CharField(
        max_length=255, unique=True, help_text="The outside thing that this entry stands for, such as stripe:pi_…"
    )
    kind = models.CharField(max_length=16, choices=Kind)
    amount_micros = models.BigIntegerField()
    balance_after_micros = models.BigIntegerField()
    group_id = models.BigIntegerField(null=True, blank=True)
    memo = models.CharField(max_length=255)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "ledgerEntries"
        ordering = ("-id",)
        verbose_name_plural = "ledger entries"
        indexes = (
            models.Index(fields=("account", "-id"), name="ledger_newest_first"),
            models.Index(fields=("created_at",), name="ledger_by_time"),
        )
        constraints = (models.CheckConstraint(condition=signs_of_entries(), name="ledger_entry_kind_and_sign"),)

    def __str__(self) -> str:
        return self.reference


class TopUp(models.Model):
    """A payment from the moment that it is wished for. Committed before Stripe is called, so that none is forgotten."""

    class Status(models.TextChoices):
        PENDING = "pending"  # asked for; the card may or may not have been charged
        CONSENT = "consent"  # the card's owner must still agree, in the client; or it is reserved and not captured
        SUCCEEDED = "succeeded"
        REFUSED = "refused"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="top_ups")
    customer = models.CharField(max_length=128, help_text="Stripe's id of the person.")
    source = models.CharField(max_length=255, blank=True, help_text="The card asked for; empty for the default one.")
    card = models.CharField(
        max_length=255, blank=True, help_text="The card that is charged: settled once, for a retry must be the same."
    )
    amount_cents = models.PositiveIntegerField()
    captured_cents = models.PositiveIntegerField(
        null=True, blank=True, help_text="What was captured, where that is less than was asked for."
    )
    key = models.CharField(max_length=255, null=True, blank=True, help_text="The client's Idempotency-Key.")
    status = models.CharField(max_length=16, choices=Status, default=Status.PENDING)
    in_flight_until = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Until then a request is, or was, at work on it; after it, the next one finishes what is pending.",
    )
    try_at = try_at()
    payment = models.CharField(max_length=255, blank=True, help_text="Stripe's id of the payment.")
    message = models.CharField(max_length=500, blank=True, help_text="Why it was refused, in the bank's words.")
    client_secret = models.CharField(max_length=255, blank=True)
    entry = models.OneToOneField(LedgerEntry, models.PROTECT, null=True, blank=True, related_name="top_up")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "topUps"
        ordering = ("-created_at",)
        verbose_name = "top-up"
        indexes = (models.Index(fields=("payment",), name="top_ups_by_payment"),)  # each webhook looks for its own
        constraints = (
            models.UniqueConstraint(fields=("account", "key"), name="top_up_one_per_key"),
            models.UniqueConstraint(fields=("account",), condition=Q(status="pending"), name="top_up_one_pending"),
            models.CheckConstraint(condition=Q(amount_cents__gt=0), name="top_up_amount_positive"),
            models.CheckConstraint(
                condition=Q(status="succeeded", entry__isnull=False) | ~Q(status="succeeded") & Q(entry__isnull=True),
                name="top_up_succeeded_is_posted",
            ),
        )

    def __str__(self) -> str:
        return f"${self.amount_cents / 100:.2f} {self.status}"

    @property
    def brought_cents(self) -> int:
        """What it brought, once it has succeeded."""
        return self.amount_cents if self.captured_cents is None else self.captured_cents


class RefundRequest(models.Model):
    """A refund that an operator has asked for. Committed before Stripe is asked: so long as it is pending, its money is
    there for nothing else.
    """

    class Status(models.TextChoices):
        PENDING = "pending"  # asked for; Stripe may or may not have made it
        MADE = "made"  # posted: what became of it later is in the ledger, too
        REFUSED = "refused"  # nothing went back

    key = models.CharField(primary_key=True, max_length=255, help_text="The form's: the same gives back once.")
    account = models.ForeignKey(Account, models.PROTECT, related_name="refund_requests", db_index=False)
    top_up = models.ForeignKey(TopUp, models.PROTECT, related_name="refund_requests")
    amount_cents = models.PositiveIntegerField()
    status = models.CharField(max_length=16, choices=Status, default=Status.PENDING)
    refund = models.CharField(max_length=255, blank=True, help_text="Stripe's id of the refund.")
    asked_at = models.DateTimeField(default=timezone.now, help_text="When Stripe was last to be asked for it.")
    try_at = try_at()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "refundRequests"
        ordering = ("-created_at",)
        constraints = (models.CheckConstraint(condition=Q(amount_cents__gt=0), name="refund_request_amount_positive"),)
        indexes = (models.Index(fields=("account",), condition=Q(status="pending"), name="refund_requests_pending"),)

    def __str__(self) -> str:
        return f"${self.amount_cents / 100:.2f} {self.status}"


class DisputeQuerySet(models.QuerySet["Dispute"]):
    def open(self) -> "DisputeQuerySet":
        return self.filter(settled=False)


class Dispute(models.Model):
    """A cardholder's objection to a payment. While it is open the account starts no calls.

    The money that it moves is in the ledger. https://docs.stripe.com/disputes
    """

    id = models.CharField(primary_key=True, max_length=255)
    account = models.ForeignKey(Account, models.PROTECT, related_name="disputes")
    payment = models.CharField(max_length=255, help_text="Stripe's id of the disputed payment.")
    amount_cents = models.PositiveIntegerField()
    status = models.CharField(max_length=64, help_text="Stripe's word for where it stands.")
    settled = models.BooleanField(default=False, help_text="Won, lost or closed. It stays so, whatever comes late.")
    try_at = try_at()
    created_at = models.DateTimeField(default=timezone.now)

    objects = DisputeQuerySet.as_manager()

    class Meta:
        db_table = "disputes"
        ordering = ("-created_at",)
        indexes = (models.Index(fields=("account",), condition=Q(settled=False), name="disputes_open"),)

    def __str__(self) -> str:
        return f"{self.id} {self.status}"


class Card(models.Model):
    """A card on file: what may be shown of it. Stripe keeps the card itself."""

    id = models.CharField(primary_key=True, max_length=255, help_text="Stripe's id of the PaymentMethod.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="cards", verbose_name="person")
    brand = models.CharField(max_length=32)
    last4 = models.CharField(max_length=4)
    exp_month = models.PositiveSmallIntegerField()
    exp_year = models.PositiveSmallIntegerField()
    is_default = models.BooleanField("pays", default=False)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "cards"
        ordering = ("created_at", "id")
        constraints = (
            models.UniqueConstraint(fields=("user",), condition=Q(is_default=True), name="card_one_default"),
        )

    def __str__(self) -> str:
        return f"{self.brand} {self.last4}"


class FormerCustomer(models.Model):
    """A customer of a person's that is gone at Stripe, so that whoever still asks by its id can be told so."""

    id = models.CharField(primary_key=True, max_length=128, help_text="Stripe's id.")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="former_customers", verbose_name="person"
    )
    created_at = models.DateTimeField(default=timezone.now, help_text="When it was found to be gone.")

    class Meta:
        db_table = "formerCustomers"
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.id


class CardRefusal(models.Model):
    """A card that the bank refused. It outlives the person, and then names nobody: `who` is a keyed hash."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="card_refusals",
        verbose_name="person",
        help_text="Empty once the person is deleted.",
    )
    who = models.CharField(
        max_length=64, blank=True, help_text="The same for the same sign-in, also after deleting oneself."
    )
    amount_cents = models.PositiveIntegerField(null=True, blank=True, help_text="Empty where a card was put on file.")
    why = models.CharField(max_length=500, blank=True, help_text="In the bank's words.")
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        db_table = "cardRefusals"
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"refused card {self.pk}"


class PaymentNotice(models.Model):
    """What only an operator can put right about payments: one row for each cause, with its newest words."""

    cause = models.CharField(primary_key=True, max_length=255)
    words = models.CharField(max_length=1000)
    first_at = models.DateTimeField(default=timezone.now)
    last_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "paymentNotices"
        ordering = ("-last_at",)

    def __str__(self) -> str:
        return self.cause


class StripeEvent(models.Model):
    """A webhook event, stored once and applied once."""

    id = models.CharField(primary_key=True, max_length=255)
    type = models.CharField(max_length=100)
    api_version = models.CharField(
        max_length=100, blank=True, default="", help_text="How Stripe's webhook writes its objects."
    )
    payload = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now)
    applied_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Empty while what follows from it could not be done yet: it will be tried again, for a week.",
    )
    try_at = try_at()
    reason = models.CharField(
        max_length=500, blank=True, default="", help_text="Why it is not applied; or why nothing followed from it."
    )

    class Meta:
        db_table = "stripeEvents"
        ordering = ("-created_at",)
        indexes = (
            models.Index(fields=("created_at",), condition=Q(applied_at=None), name="stripe_events_waiting"),
            models.Index(fields=("-created_at",), name="stripe_events_newest_first"),
        )

    def __str__(self) -> str:
        return f"{self.type} {self.id}"


class SandboxObject(models.Model):
    """What the sandbox keeps where Stripe would: a customer, a card or a payment."""

    id = models.CharField(primary_key=True, max_length=255)
    customer = models.CharField(max_length=255, db_index=True)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "sandboxObjects"
        ordering = ("created_at", "id")

    def __str__(self) -> str:
        return self.id
