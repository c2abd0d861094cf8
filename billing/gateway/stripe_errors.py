"""Stripe's errors as ours: whose fault is it? https://docs.stripe.com/error-handling

The bank's and the card's are told to whoever pays, in words that help them on. What the operator has set up is told to
the operator, in Stripe's own words. All else is a Stripe that does not answer.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

import stripe
from rest_framework.exceptions import APIException

from billing.gateway.interface import (
    CardDeclined,
    CustomerGone,
    IdempotencyConflict,
    PaymentsMisconfigured,
    PaymentsUnavailable,
    UnknownSource,
    UnusableSource,
)
from billing.gateway.stripe_objects import Unreadable
from billing.notices import notify

logger = logging.getLogger(__name__)

OF_THE_SET_UP = {
    *("account_invalid", "testmode_charges_only", "currency_not_supported", "livemode_mismatch", "country_unsupported"),
    *("api_key_expired", "platform_api_key_expired", "platform_account_required", "secret_key_required"),
    *("tls_version_unsupported", "not_allowed_on_standard_account", "payment_method_unactivated"),
    *("payment_method_configuration_failures", "payment_method_currency_mismatch", "capability_not_active"),
    *("payment_intent_invalid_parameter", "payment_intent_incompatible_payment_method"),
}
"""Whatever else about them sounds like a card. https://docs.stripe.com/error-codes"""
OF_THE_CARD = re.compile(
    r"card_|token_|payment_method_|incorrect_|invalid_(number|cvc|expiry|card)|expired_|source_|authentication_"
    r"|payment_intent_(authentication|payment_attempt)|processing_error|insufficient_funds|charge_exceeds_source_limit"
    r"|customer_max_payment_methods|three_d_secure_|postal_code_invalid"
)
CARD_PARAMETERS = re.compile(
    r"payment_method(?!_types|_options|_configuration)|(invoice_settings\[)?default_payment_method|source|card|token"
)
CARD_WORDS = re.compile(r"payment.?method|source|token|\bcard\b", re.IGNORECASE)
SET_UP_WORDS = re.compile(r"dashboard|your (stripe )?account|this account|activated", re.IGNORECASE)
REAL_CARD_IN_TEST_MODE = "test_mode_live_card"
OTHER_MODE = "a similar object exists in"
SECRETS = re.compile(r"\b((?:sk|rk|pk|whsec)_(?:(?:live|test|org)_)?)[A-Za-z0-9_*]+")

OF_A_PERSON = re.compile(r"\b(cus|pm)_\w+")
EMAIL = re.compile(r"[^\s'\"<>]+@[^\s'\"<>]+")


@contextmanager
def our_errors() -> Iterator[None]:
    try:
        yield
    except stripe.StripeError as error:
        raise ours(error) from error
    except Unreadable as error:
        logger.warning("Stripe's answer cannot be read: %s", str(error))
        raise PaymentsUnavailable from error


def ours(error: stripe.StripeError) -> APIException:
    if isinstance(error, stripe.IdempotencyError):
        return told_to_the_operator(error, IdempotencyConflict)
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError) or error.code in OF_THE_SET_UP:
        return told_to_the_operator(error)
    if isinstance(error, stripe.CardError):
        if getattr(error.error, "decline_code", None) == REAL_CARD_IN_TEST_MODE:
            return told_to_the_operator(error)
        return CardDeclined(error.user_message or CardDeclined.default_detail)
    if isinstance(error, stripe.InvalidRequestError):
        return of_request(error)
    logger.warning("Stripe failed: %s %s (%s)", type(error).__name__, error.code, error.request_id)
    return PaymentsUnavailable()


def of_request(error: stripe.InvalidRequestError) -> APIException:
    """A request that Stripe refuses is the card's fault where Stripe says so, and else the operator's."""
    words = error.user_message or ""
    if error.code == "resource_missing":
        if error.param == "customer" or words.startswith("No such customer"):
            return CustomerGone()
        is_card = CARD_WORDS.match(words.removeprefix("No such "))
        return told_to_the_operator(error) if is_card and OTHER_MODE in words else UnknownSource()
    if not is_of_the_card(error, words):
        return told_to_the_operator(error)
    logger.warning("Stripe refused a card: %s (%s)", error.code, error.request_id)
    return UnusableSource("This card cannot be used. Enter it again.")


def is_of_the_card(error: stripe.InvalidRequestError, words: str) -> bool:
    """By its code; by its parameter and its words where it has none."""
    if error.code:
        return OF_THE_CARD.match(error.code) is not None
    if SET_UP_WORDS.search(words):
        return False
    return bool(CARD_PARAMETERS.match(error.param) if error.param else CARD_WORDS.search(words))


def told_to_the_operator(
    error: stripe.StripeError, kind: type[PaymentsMisconfigured] = PaymentsMisconfigured
) -> PaymentsMisconfigured:
    """The log has its code alone: what Stripe says may name a person. The admin has it all, but for keys and whom it is
    about."""
    name = error.code or type(error).__name__
    logger.error("Stripe refuses how payments are set up: %s %s (%s)", error.http_status, name, error.request_id)
    words = SECRETS.sub(r"\1…", error.user_message or "Stripe says no more.")
    words = EMAIL.sub("…@…", OF_A_PERSON.sub(r"\1_…", words))
    notify(f"stripe:{name}", f"Stripe refuses how payments are set up ({error.http_status} {name}): {words}")
    return kind()
