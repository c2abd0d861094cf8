"""What the books keep of a person who is gone: amounts and Stripe's ids of payments, under the account's id.

No customer, no card, no word of theirs. An entry of the ledger has none of them, and can never be changed.
"""

from collections.abc import Iterable

from django.db.models import Case, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Cast
from django.utils import timezone

from billing.gateway.interface import CustomerGone, payments
from billing.models import Account, CardRefusal, PaymentNotice, StripeEvent, TopUp
from core.transactions import lock_rows
from users.erasing import any_of, names_of, redact
from users.models import User, VendorDeletion
from users.vendor_deletions import delete_at_vendor

FORGOTTEN = {"object": {"id": "forgotten", "type": "forgotten"}}
"""What stands in a stored event for a customer or a card: nothing follows from it."""
PERSON_GONE = "The person whom it is about is deleted."


def lock_events_about(people: Iterable[User]) -> None:
    """Locks what `forget_person` will change of Stripe's events: the webhook locks an event before an account."""
    words = {word for user in people for word in (*ids_of(user), user.email)}
    lock_rows(events_saying(words).only("pk"))


def ids_of(user: User) -> set[str]:
    """Stripe's ids of their customers and cards."""
    rows = TopUp.objects.filter(account__user=user).values_list("customer", "card", "source")
    former = user.former_customers.values_list("pk", flat=True)
    known = {user.stripe_id or "", *former, *user.cards.values_list("pk", flat=True)}
    return {*known, *(each for row in rows for each in row)} - {""}


def forget_person(user: User, going: set[int]) -> None:
    """A payment that is under way goes on, under the lock that it was begun under: it is found by its own id."""
    ids = sorted(ids_of(user))
    delete_at_vendor(VendorDeletion.Kind.CUSTOMER, [user.stripe_id or ""], person_id=user.pk)
    if account := Account.objects.select_for_update(no_key=True).filter(user=user).first():
        top_ups = TopUp.objects.filter(account=account)
        was_tried = When(~Q(card=""), status=TopUp.Status.PENDING, then=Value(FORGOTTEN["object"]["id"]))
        top_ups.update(
            customer="", source="", key=None, message="", client_secret="", card=Case(was_tried, default=Value(""))
        )
    CardRefusal.objects.filter(user=user).update(why="")  # the bank's words, which may name them
    forget_in_events([*ids, user.email])
    redact(PaymentNotice.objects.all(), "words", [*ids, *names_of(user, going)])


def events_saying(words: Iterable[str]) -> QuerySet[StripeEvent]:
    events = StripeEvent.objects.annotate(text=Cast("payload", TextField()))
    return events.filter(any_of([Q(text__contains=word) for word in words]))


def forget_in_events(words: list[str]) -> None:
    """Of payments, refunds and disputes none says who pays: only events about a customer or a card can be meant."""
    for event in events_saying(words):
        forget_subject(event)
        if event.applied_at is None:
            event.applied_at, event.reason = timezone.now(), PERSON_GONE
        event.save(update_fields=["payload", "applied_at", "reason"])


def forget_subject(event: StripeEvent) -> None:
    """Takes out of a stored event what it is about. For the caller to save."""
    envelope = {key: each for key, each in event.payload.items() if key != "related_object"}
    event.payload = {**envelope, "data": FORGOTTEN}


def delete_customer(customer: str) -> None:
    """Deletes a customer at Stripe, with the cards."""
    try:
        payments().delete_customer(customer=customer)
    except CustomerGone:
        return
