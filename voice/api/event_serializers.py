"""What Twilio tells by its status callbacks, in its own names. Its forms may have more tomorrow: nothing is refused for
that, and whatever is authentic is answered 204.
"""

from typing import Any

from rest_framework import serializers


class CallsFields(serializers.Serializer[Any]):
    AccountSid = serializers.CharField(required=False, help_text="`AC…`")
    CallSid = serializers.CharField(required=False, help_text="`CA…`: of which phone it tells.")


class ConferenceEventSerializer(CallsFields):
    """https://www.twilio.com/docs/voice/twiml/conference#attributes-statusCallback"""

    ConferenceSid = serializers.CharField(help_text="`CF…`")
    FriendlyName = serializers.CharField(help_text="The group's id, behind `CONFERENCE_PREFIX`.")
    StatusCallbackEvent = serializers.CharField(
        help_text="`conference-start`, `conference-end`, `participant-join`, `participant-leave`, `participant-mute`, "
        "`participant-unmute`, `participant-hold`, `participant-unhold`, `participant-modify`, "
        "`participant-speech-start`, `participant-speech-stop`, `announcement-end` or `announcement-fail`."
    )
    SequenceNumber = serializers.IntegerField(help_text="In the order in which it happened, which may not be this one.")
    Timestamp = serializers.CharField(required=False, help_text="When it happened, as RFC 2822 writes it.")
    Muted = serializers.BooleanField(required=False)
    Hold = serializers.BooleanField(required=False)
    Coaching = serializers.BooleanField(required=False)
    StartConferenceOnEnter = serializers.BooleanField(required=False)
    EndConferenceOnExit = serializers.BooleanField(required=False)
    ParticipantLabel = serializers.CharField(required=False, help_text="By which we know a leg before it has a sid.")
    ParticipantCallStatus = serializers.CharField(required=False, help_text="Of a phone that has left.")
    EventName = serializers.CharField(required=False, help_text="As `StatusCallbackEvent`, in more words.")
    Reason = serializers.CharField(required=False, help_text="Why it came to this event, in a sentence.")
    ReasonParticipantLeft = serializers.CharField(required=False, help_text="Such as `participant_hung_up`.")
    ReasonConferenceEnded = serializers.CharField(required=False, help_text="Such as `last-participant-left`.")
    CallSidEndingConference = serializers.CharField(required=False, help_text="`CA…`: who left as the last.")
    AnnounceUrl = serializers.CharField(required=False, help_text="Of an announcement: where its words were asked for.")
    ReasonAnnouncementFailed = serializers.CharField(required=False)


class CallEventSerializer(CallsFields):
    """https://www.twilio.com/docs/voice/api/call-resource#statuscallback"""

    CallSid = serializers.CharField(help_text="`CA…`: of which phone it tells.")
    CallStatus = serializers.CharField(
        help_text="`queued`, `initiated`, `ringing`, `in-progress`, `completed`, `busy`, `failed`, `no-answer` or "
        "`canceled`."
    )
    CallDuration = serializers.IntegerField(required=False, help_text="Seconds, once it has ended.")
    Duration = serializers.IntegerField(required=False, help_text="Started minutes, once it has ended.")
    SequenceNumber = serializers.IntegerField(required=False, help_text="From 0, in the order in which it happened.")
    Timestamp = serializers.CharField(required=False, help_text="When it happened, as RFC 2822 writes it.")
    CallbackSource = serializers.CharField(required=False, help_text="`call-progress-events`")
    ParentCallSid = serializers.CharField(required=False, help_text="Of a phone that another one's call has dialled.")
    Direction = serializers.CharField(required=False, help_text="`inbound`, `outbound-api` or `outbound-dial`.")
    From = serializers.CharField(required=False, help_text="A number, or `client:…`.")
    To = serializers.CharField(required=False, help_text="A number, or `client:…`.")
    ApiVersion = serializers.CharField(required=False)
    SipResponseCode = serializers.IntegerField(required=False, help_text="With which a call failed.")


class CaptionEventSerializer(CallsFields):
    """https://www.twilio.com/docs/voice/twiml/transcription#statuscallbackurl"""

    CallSid = serializers.CharField(help_text="`CA…`: whose words these are.")
    TranscriptionSid = serializers.CharField(help_text="`GT…`")
    TranscriptionEvent = serializers.CharField(
        help_text="`transcription-started`, `transcription-content`, `transcription-stopped` or `transcription-error`."
    )
    SequenceId = serializers.IntegerField(required=False, help_text="In the order in which it happened, from 1.")
    Timestamp = serializers.CharField(required=False, help_text="When it happened, as ISO 8601 writes it.")
    Track = serializers.CharField(required=False, help_text="`inbound_track` is what the phone says.")
    LanguageCode = serializers.CharField(required=False, help_text="As BCP 47 writes it.")
    TranscriptionData = serializers.CharField(
        required=False, help_text="JSON in a text: `transcript`, and for final words `confidence`."
    )
    Final = serializers.BooleanField(required=False, help_text="Whether these words change no more.")
    Stability = serializers.FloatField(required=False, help_text="Of words that may change: from 0 to 1.")
    Name = serializers.CharField(required=False)
    TranscriptionEngine = serializers.CharField(required=False)
    ProviderConfiguration = serializers.CharField(required=False, help_text="JSON in a text.")
    PartialResults = serializers.BooleanField(required=False)
    EnableAutomaticPunctuation = serializers.BooleanField(required=False)
    ProfanityFilter = serializers.BooleanField(required=False)
    SpeechModel = serializers.CharField(required=False)
    Hints = serializers.CharField(required=False)
    InboundTrackLabel = serializers.CharField(required=False)
    OutboundTrackLabel = serializers.CharField(required=False)
    TranscriptionErrorCode = serializers.IntegerField(
        required=False, help_text="https://www.twilio.com/docs/api/errors"
    )
    TranscriptionError = serializers.CharField(required=False)


class AnnouncementAskedSerializer(CallsFields):
    """https://www.twilio.com/docs/voice/api/conference-resource#update-a-conference-resource: nothing of it is read."""

    ConferenceSid = serializers.CharField(required=False, help_text="`CF…`: into which it is spoken.")
    FriendlyName = serializers.CharField(required=False)
    ApiVersion = serializers.CharField(required=False)
