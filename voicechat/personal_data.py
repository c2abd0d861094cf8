"""What is kept, column by column: about whom, why, for how long, and what becomes of it when a person is deleted.

One line for each kind of data, many columns to a line. A test holds it to the models, and docs/data.md to it:
`python -m voicechat.personal_data` prints that page's table.
"""

from dataclasses import dataclass
from enum import StrEnum


class End(StrEnum):
    """What becomes of it when the person whom it is about is deleted."""

    GOES = "goes with them"
    EMPTIED = "is emptied"
    NAMELESS = "stays, and their names are taken out"
    STAYS = "stays, under an id"
    NOBODYS = "stays: it is about nobody"


@dataclass(frozen=True, slots=True)
class Kept:
    table: str
    columns: str
    what: str
    why: str
    end: End
    exported: bool = False
    """Whether it belongs into what a person is given of all that is kept about them."""
    keep_for: str = ""
    """How long at most; empty for as long as the person or the group is there, or what stays is needed."""


LISTS = ("usersGroupsOwnership", "usersGroupsMembership", "usersGroupsInvitations", "usersGroupsParticipants")
KEPT = (
    Kept(
        "users",
        "id email emailKey displayName firstName lastName avatar phoneNumber createdAt",
        "who somebody is",
        "they are known, found and called by it",
        End.GOES,
        exported=True,
    ),
    Kept("users", "callStatus callStatusAt", "whether they are on a call", "others see it", End.GOES, exported=True),
    Kept(
        "users",
        "stripeId billingSubcription accountBalance last4",
        "their money at a glance",
        "they pay by it",
        End.GOES,
        exported=True,
    ),
    Kept("users", "version", "how often their row has changed", "an answer that is kept is known to be old", End.GOES),
    Kept("users", "oidcIssuer oidcSubject", "their sign-in", "they are let in by it", End.GOES, exported=True),
    Kept(
        "users",
        "password last_login is_superuser is_staff is_active",
        "their rights, and an operator's password (as a hash)",
        "they work in the admin",
        End.GOES,
    ),
    Kept(
        "notificationChoices",
        "user_id push email sms",
        "by which ways they want to be told",
        "they are told in no other way",
        End.GOES,
        exported=True,
    ),
    Kept(
        "verifiedNumbers",
        "id user_id number verified_at",
        "the telephone that they have shown to be theirs",
        "they are known by it when they call",
        End.GOES,
        exported=True,
    ),
    Kept(
        "pendingVerifications",
        "id user_id number channel sid tries expires_at",
        "that a code was sent to a telephone, under the verification service's id of it",
        "the code is compared, five times at most",
        End.GOES,
        keep_for="ten minutes, and until it is pruned",
    ),
    Kept("users_groups", "id user_id group_id", "an operator's rights", "as above", End.GOES),
    Kept("users_user_permissions", "id user_id permission_id", "an operator's rights", "as above", End.GOES),
    Kept("issuerKeys", "issuer keys fetched_at", "public keys of the issuer", "tokens are verified", End.NOBODYS),
    Kept(
        "limitCounts",
        "id limit who taken until",
        "how much of a limit somebody has used, under a keyed hash of their sign-in, email, address or telephone",
        "deleting oneself sets no limit back",
        End.STAYS,
        keep_for="a day after it counts for nothing",
    ),
    Kept(
        "keptAnswers",
        "name user_id body status made until",
        "that a request with an Idempotency-Key was done: keyed hashes, a status, the id or address of what it made, "
        "or the telephone that a code was sent to",
        "who asks again makes nothing twice",
        End.GOES,
        keep_for="a day",
    ),
    Kept(
        "streamTickets",
        "digest user_id until signed_in_until",
        "that they may open a stream once, under a hash",
        "a browser's EventSource sends no token",
        End.GOES,
        keep_for="half a minute, and until it is pruned",
    ),
    Kept(
        "jobs",
        "id task arguments cause state due_at tries worker fault result enqueued_at written_at started_at finished_at",
        "what is to be done after an answer: ids of ours and of vendors', what went wrong in our own words, and counts",
        "nothing that was promised is forgotten",
        End.STAYS,
        keep_for="a day after it is done, 90 days where it was given up",
    ),
    Kept("workers", "name threads started_at seen_at", "who does jobs", "it is seen when nobody does", End.NOBODYS),
    Kept(
        "scheduledCommands",
        "name next_at ran_at seconds is_fault result",
        "when a command runs, and what its last run said: counts and ids",
        "it is seen when it goes wrong",
        End.NOBODYS,
    ),
    Kept("usersGroupsInvitations", "invitedBy", "who sent an invitation", "nobody sends too many", End.EMPTIED),
    Kept(
        "invitationLinks",
        "id groupId madeBy digest nonce maxUses uses expiresAt createdAt",
        "a link of an invitation that they made, its token under a hash",
        "whoever has it may join the group",
        End.GOES,
        exported=True,
        keep_for="until it is over, 30 days at most, and until it is pruned",
    ),
    Kept(
        "invitationLinks",
        "sentTo sentAt",
        "the address or number that a link was sent to, which may be anybody's",
        "its owners see whom they invited",
        End.NAMELESS,
        keep_for="as above",
    ),
    Kept(
        "invitationLinkUsers",
        "id invitationlink_id user_id",
        "who joined by which link",
        "it lets nobody in twice",
        End.GOES,
        exported=True,
        keep_for="as the link",
    ),
    Kept(
        "erasures",
        "id person_id erased_at",
        "that they were deleted, and when",
        "that it was done can be shown",
        End.STAYS,
    ),
    Kept(
        "exports",
        "id user_id ordered_at made_at content",
        "all that is kept about them, as a ZIP that they asked for",
        "a job makes it, for there is much",
        End.GOES,
        keep_for="a day",
    ),
    Kept(
        "vendorDeletions",
        "id kind name person_id asked_at tries try_at fault",
        "a vendor's id of what it is to delete",
        "it is told until it has",
        End.GOES,
        keep_for="until the vendor has deleted it",
    ),
    Kept(
        "pictures",
        "address name user_id created_at",
        "pictures that they uploaded",
        "they are deleted with them",
        End.GOES,
        exported=True,
    ),
    Kept(
        "groups",
        "version",
        "how often anything in it has changed",
        "an answer that is kept is known to be old",
        End.NOBODYS,
    ),
    Kept(
        "groups",
        "lastActivity",
        "how many activities there have been",
        "a page that follows the group is told of each, in order",
        End.NOBODYS,
    ),
    Kept("activities", "number", "which of them it is", "as above", End.GOES),
    Kept("everyGroup", "id version", "how often any group may have changed", "as above", End.NOBODYS),
    Kept(
        "groups",
        "id name phoneNumber callStatus callStatusAt createdAt",
        "a group, and what its people call it",
        "it is the group's",
        End.STAYS,
        exported=True,
    ),
    *(
        Kept(
            table,
            "id userId groupId createdAt",
            "who has which part in a group",
            "it opens doors",
            End.GOES,
            exported=True,
        )
        for table in LISTS
    ),
    Kept(
        "departures",
        "id userId groupId leftAt isSaid",
        "that they left a group, and whether they said so",
        "they may still say so there, and leave again where an answer was lost",
        End.GOES,
        keep_for="ten minutes",
    ),
    Kept(
        "activities",
        "id userId groupId createdAt",
        "what they did in a group",
        "its people read it",
        End.GOES,
        exported=True,
    ),
    Kept(
        "activities",
        "activity",
        "what others did, in words that may name them",
        "as above",
        End.NAMELESS,
        exported=True,
    ),
    Kept(
        "devices",
        "id user_id identity address binding_type endpoint sid checked_at created_at",
        "their phones' addresses",
        "they are told of calls",
        End.GOES,
        exported=True,
    ),
    Kept("deviceTags", "id device_id group_id", "which groups a phone is told of", "as above", End.GOES),
    Kept(
        "sandboxNotifications",
        "id group_id body identities created_at",
        "what a sandbox would have sent",
        "a developer looks at it",
        End.GOES,
    ),
    Kept(
        "notices",
        "id user_id kind about way group_id state why created_at ended_at",
        "what they were told, by which way, and why not",
        "they are told each thing once",
        End.GOES,
        exported=True,
        keep_for="90 days",
    ),
    Kept(
        "notices",
        "facts",
        "what the words are made of: ids of others who were there or invited them, cents, "
        "the last digits of a card or a telephone",
        "as above",
        End.STAYS,
        keep_for="90 days",
    ),
    Kept(
        "sandboxEmails",
        "id to subject text html headers created_at",
        "e-mails that a sandbox would have sent",
        "as above",
        End.GOES,
        keep_for="90 days",
    ),
    Kept(
        "sandboxMessages",
        "id to body created_at",
        "what a sandbox would have sent by SMS",
        "as above",
        End.GOES,
        keep_for="90 days",
    ),
    Kept(
        "pushes",
        "id cause group_id body until_at devices told gone spared missed created_at ended_at",
        "what devices are told, how many were, and how many could not be",
        "each is told once, and who was missed is known",
        End.GOES,
        keep_for="a week",
    ),
    Kept("accounts", "id created_at", "an account of money", "the books", End.STAYS),
    Kept("accounts", "user_id", "whose account it is", "they pay by it", End.EMPTIED, exported=True),
    Kept(
        "ledgerEntries",
        "id account_id reference kind amount_micros balance_after_micros group_id created_at",
        "movements of money, with Stripe's and Twilio's ids",
        "the books; nothing there ever changes",
        End.STAYS,
        exported=True,
    ),
    Kept(
        "ledgerEntries",
        "memo",
        "what a movement was for: the group's name as it was then, or an operator's reason, which may name nobody",
        "as above",
        End.STAYS,
        exported=True,
    ),
    Kept(
        "topUps",
        "id account_id amount_cents captured_cents status in_flight_until try_at payment entry_id created_at",
        "payments, with Stripe's ids of them",
        "the books; money is given back by them",
        End.STAYS,
        exported=True,
    ),
    Kept(
        "topUps",
        "customer source card message",
        "who paid by which card, and what the bank said",
        "a payment that is under way is found and finished by it",
        End.EMPTIED,
        exported=True,
    ),
    Kept(
        "topUps",
        "key client_secret",
        "what a payment that is under way is found and finished by",
        "as above; it is nobody's to read",
        End.EMPTIED,
    ),
    Kept(
        "refundRequests",
        "key account_id top_up_id amount_cents status refund asked_at try_at created_at",
        "refunds that staff asked for, under a key of their form's",
        "the books; its money is reserved while it is pending",
        End.STAYS,
        exported=True,
    ),
    Kept(
        "disputes",
        "id account_id payment amount_cents status settled try_at created_at",
        "disputed payments",
        "the books",
        End.STAYS,
        exported=True,
    ),
    Kept(
        "cards",
        "id user_id brand last4 exp_month exp_year is_default created_at",
        "what may be shown of their cards",
        "they know them by it",
        End.GOES,
        exported=True,
    ),
    Kept(
        "cardRefusals",
        "id user_id who amount_cents created_at",
        "that a card of theirs was refused, under a keyed hash of their sign-in",
        "whoever tries stolen cards is seen, also after deleting themself",
        End.STAYS,
        keep_for="90 days",
    ),
    Kept("cardRefusals", "why", "the bank's words", "staff see why", End.EMPTIED, keep_for="90 days"),
    Kept("formerCustomers", "id user_id created_at", "customers of before", "who still asks is told so", End.GOES),
    Kept(
        "stripeEvents",
        "id type api_version created_at applied_at try_at reason",
        "that Stripe told something",
        "it is applied once",
        End.STAYS,
        keep_for="90 days",
    ),
    Kept(
        "stripeEvents",
        "payload",
        "what it told, stripped to amounts, states and ids; of a customer or card nothing once it is applied",
        "it is read again where it could not be applied",
        End.EMPTIED,
        keep_for="90 days",
    ),
    Kept(
        "paymentNotices",
        "cause words first_at last_at",
        "what Stripe refuses, in its words, without customers, cards and emails",
        "operators put it right",
        End.NAMELESS,
    ),
    Kept(
        "sandboxObjects",
        "id customer data created_at",
        "play money",
        "the sandbox is Stripe; told to delete a customer, it does",
        End.EMPTIED,
    ),
    Kept(
        "conferences",
        "sid group_id completed heard_at ended_at notified_at announcement created_at doubted_at ask_again_at "
        "alone_since alone_told_at",
        "a group's conversations",
        "who is on a call follows from it",
        End.STAYS,
    ),
    Kept(
        "groupCalls",
        "groupId locked endWhenAlone language captions captionsLanguage captionsKeep captionsChangedAt "
        "captionsWarnedAt",
        "what a group's people have settled for its calls, and in which language it is spoken to",
        "it holds",
        End.NOBODYS,
    ),
    Kept("groupCalls", "captionsBy", "who has turned captions on", "what goes wrong is said to them", End.STAYS),
    Kept(
        "captions",
        "id groupId userId displayName text language createdAt typed spoken why transcription sequenceId is_kept "
        "stored_at asked_at fetched_at number",
        "what they have said or typed on a call",
        "whoever cannot hear it reads it",
        End.GOES,
        exported=True,
        keep_for="30 days (`CAPTION_DAYS`); minutes, where the group does not keep them",
    ),
    Kept(
        "partialCaptions",
        "transcription groupId userId displayName text language sequenceId createdAt",
        "what they are saying at this moment",
        "as above",
        End.GOES,
        keep_for="two minutes, and its row a day",
    ),
    Kept("captionCounts", "groupId lastCaption lastPartial", "how many there were", "none is missed", End.NOBODYS),
    Kept(
        "transcriptions",
        "id call_id sid language caller_number fault asked_at started_at stopped_at last_final",
        "from when to when the words of a phone were written down",
        "it costs, and each word counts once",
        End.STAYS,
    ),
    Kept(
        "conferenceEvents",
        "id conference_id sequence_number kind call_sid payload happened_at created_at",
        "what Twilio told of a conversation, without numbers and names",
        "as above",
        End.STAYS,
        keep_for="90 days",
    ),
    Kept(
        "callSessions",
        "id sid userId groupId startTime endTime duration price createdAt conference_id is_on seen_on seen_after "
        "muted_told muted_after heard_at payer_id status direction end_source price_unit price_told duration_told "
        "price_due_at price_attempts settled_by charged_micros charged_minutes captions_micros hang_up_at ends_at "
        "warned_at doubted_at ask_again_at ring_id ring_answer entry menu_at menu_after out_since let_in_muted "
        "wants_no_warnings",
        "how long somebody was on a call, and what it cost",
        "the books",
        End.STAYS,
        exported=True,
    ),
    Kept(
        "callSessions",
        "caller called",
        "the numbers, or the app, that called and were called",
        "operators see who it was",
        End.EMPTIED,
        exported=True,
    ),
    Kept(
        "dialInCodes",
        "id userId groupId seed digest created_at",
        "that they have a code for a group's call, under a keyed hash; the code itself stands nowhere",
        "any telephone is let in by it as them",
        End.GOES,
    ),
    Kept(
        "dialInNumbers",
        "id groupId number created_at",
        "a group's own numbers at Twilio",
        "people dial them",
        End.NOBODYS,
    ),
    Kept(
        "rings",
        "id groupId userId createdAt state changed_at",
        "that they were rung to come to a call, and what came of it",
        "others see it",
        End.GOES,
        exported=True,
        keep_for="a day",
    ),
    Kept("rings", "by_id", "who rang", "whoever is rung hears it", End.EMPTIED, exported=True, keep_for="a day"),
    Kept(
        "unreadWebhooks",
        "id path field_count text created_at",
        "that a webhook of Twilio's had too many fields, and how they are called",
        "staff see it",
        End.NOBODYS,
        keep_for="the newest hundred",
    ),
    Kept("hangUps", "id call_id why asked_at", "why a call is to end", "it is told until it has", End.STAYS),
    Kept(
        "django_admin_log",
        "id action_time user_id content_type_id object_id action_flag",
        "what operators did (an account that did anything is disabled, not deleted)",
        "who did what can be proved",
        End.STAYS,
    ),
    Kept("django_admin_log", "object_repr change_message", "the same, in words", "as above", End.NAMELESS),
    Kept(
        "django_session",
        "session_key session_data expire_date",
        "that an operator is signed in",
        "the admin lets them in",
        End.GOES,
        keep_for="an hour after it was last used",
    ),
    Kept("auth_group", "id name", "kinds of operators", "rights", End.NOBODYS),
    Kept("auth_group_permissions", "id group_id permission_id", "their rights", "rights", End.NOBODYS),
    Kept("auth_permission", "id name content_type_id codename", "what rights there are", "rights", End.NOBODYS),
    Kept("django_content_type", "id app_label model", "what tables there are", "Django's own", End.NOBODYS),
)


def as_markdown() -> str:
    """The table of docs/data.md."""
    head = "| table | columns | what it is | why it is kept | when the person is deleted it | exported | at most |"
    rows = (
        f"| `{each.table}` | {', '.join(f'`{column}`' for column in each.columns.split())} | {each.what} | {each.why} "
        f"| {each.end} | {'yes' if each.exported else ''} | {each.keep_for} |"
        for each in KEPT
    )
    return "\n".join((head, "|---|---|---|---|---|---|---|", *rows))


if __name__ == "__main__":
    print(as_markdown())  # noqa: T201  # for whoever writes the page
