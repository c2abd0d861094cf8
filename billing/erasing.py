"""What the books keep of a person who is gone: amounts and Stripe's ids of payments, under the account's id.

No customer, no card, no word of theirs. An entry of the ledger has none of them, and can never be changed.
"""

from django.db.models import Case, Q, TextField, Value, When
from django.db.models.functions import Cast
from django.utils import timezone

from billing.gateway.interface import CustomerGone, payments
from billing.models import Account, CardRefusal, PaymentNotice, StripeEvent, TopUp
from users.erasing import names_of, redact
from users.models import User, VendorDeletion
from users.vendor_deletions import delete_at_vendor

FORGOTTEN = {"object": {"id": "forgotten", "type": "forgotten"}}
"""What stands in a stored event for a customer or a card: nothing follows from it."""
PERSON_GONE = "The person whom it is about is deleted."


def forget_person(user: User, going: set[int]) -> None:
    """A payment that is under way goes on, under the lock that it was begun under: it is found by its own id."""
    customers = [user.stripe_id or "", *user.former_customers.values_list("pk", flat=True)]
    cards = list(user.cards.values_list("pk", flat=True))
    delete_at_vendor(VendorDeletion.Kind.CUSTOMER, customers[:1])
    if account := Account.objects.select_for_update(no_key=True).filter(user=user).first():
        top_ups = TopUp.objects.filter(account=account)
        customers += top_ups.values_list("customer", flat=True)
        cards += [*top_ups.values_list("card", flat=True), *top_ups.values_list("source", flat=True)]
        was_tried = When(~Q(card=""), status=TopUp.Status.PENDING, then=Value(FORGOTTEN["object"]["id"]))
        top_ups.update(
            customer="", source="", key=None, message="", client_secret="", card=Case(was_tried, default=Value(""))
        )
    CardRefusal.objects.filter(user=user).update(why="")  # the bank's words, which may name them
    ids = sorted({*customers, *cards} - {""})
    forget_in_events([*ids, user.email])
    redact(PaymentNotice.objects.all(), "words", [*ids, *names_of(user, going)])


def forget_in_events(words: list[str]) -> None:
    """Of payments, refunds and disputes none says who pays: only events about a customer or a card can be meant."""
    events = StripeEvent.objects.annotate(text=Cast("payload", TextField()))
    for event in events.filter(Q(*(Q(text__contains=word) for word in words), _connector=Q.OR)):
        forget_subject(event)
        if event.applied_at is None:
            event.applied_at, event.reason = timezone.now(), PERSON_GONE
        event.save(update_fields=["payload", "applied_at", "reason"])


def forget_subject(event: StripeEvent) -> None:
    """Takes out of a stored event what it is about. For the caller to save."""
    envelope = {key: each for key, each in event.payload.items() if key not in ("data", "related_object")}
    event.payload = {**envelope, "data": FORGOTTEN}


def delete_customer(customer: str) -> None:
    """Deletes a customer at Stripe, with the cards."""
    try:
        payments().delete_customer(customer=customer)
    except CustomerGone:
        return
