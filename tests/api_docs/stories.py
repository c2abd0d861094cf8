"""Who asks what, and is answered with which status: of this the examples in the API's documents are made.

A line is the status, who asks, the method, the address, and what is sent; behind `#` stands what the example shows.
Alice (1) owns group 1, Bob (2) is a member, Carol (3) is invited, Dave (4) a stranger, Root (5) staff; Erin is new.
`twilio` and `stripe` sign what they post. `{link}` is the secret of the invitation link that Alice has made, `{card}`
her card on file, `{code}` what was sent to her telephone, `{letter}` what stands in her e-mails, `{pin}` Bob's code.

Every operation has a line for each of its successes: after a change here `make examples` asks the server all of it, and
writes what it answers into `voicechat/api_docs/examples.json`.
"""

STORIES = """
200 alice  GET /api/users?search=bob
201 erin   POST /api/users {"email": "erin@example.com", "nickname": "Erin"}  # Erin signs up
200 alice  POST /api/users {"email": "alice@example.com"}  # Alice has signed up before
200 alice  GET /api/users/1  # oneself
200 alice  GET /api/users/2  # somebody else: a name and a picture
200 alice  PUT /api/users/1 {"firstName": "Alice", "lastName": "Miller", "phoneNumber": 12025550143}
200 dave   DELETE /api/users/4
200 alice  GET /api/users/1/detailed
200 alice  GET /api/users/1/groupsOwned
200 bob    GET /api/users/2/groupsBelongedTo
200 carol  GET /api/users/3/groupsInvitedTo
200 alice  GET /api/users/1/accountBalance
200 root   PUT /api/users/1/accountBalance {"accountBalance": 25}
200 alice  GET /api/users/1/last4
200 alice  PUT /api/users/1/last4 {"last4": "4242"}
200 alice  GET /api/users/1/statement?from=2026-01-01&to=2099-12-31
200 alice  GET /api/users/1/statement text/csv  # as a table
200 alice  GET /api/users/1/notifications
200 alice  PUT /api/users/1/notifications {"email": false, "sms": true}
200 alice  GET /api/users/1/phoneVerification
202 alice  POST /api/users/1/phoneVerification {"phoneNumber": "+12025550143", "channel": "sms"}
200 alice  POST /api/users/1/phoneVerification/check {"code": "{code}"}
200 alice  DELETE /api/users/1/phoneVerification
200 nobody GET /api/users/unsubscribe?token={letter}
200 nobody POST /api/users/unsubscribe?token={letter}
200 dave   GET /api/users/4/export
202 alice  GET /api/users/1/export  # where there is much
200 alice  GET /api/users/1/export/0b5c2f5e-7c1d-4f0e-9a3b-2d8e6f1a4c70
202 alice  GET /api/users/1/export/0b5c2f5e-7c1d-4f0e-9a3b-2d8e6f1a4c71  # that is not made yet

200 alice  GET /api/groups
201 dave   POST /api/groups {"name": "Neighbours", "phoneNumber": "5550123"}
200 alice  GET /api/groups/1
200 alice  PUT /api/groups/1 {"name": "The family"}
200 alice  DELETE /api/groups/1
200 bob    GET /api/groups/1/activities?limit=2
201 bob    POST /api/groups/1/activities {"userId": 2, "activity": "Bob says hello"}
200 bob    GET /api/groups/1/callStatus
200 bob    PUT /api/groups/1/callStatus {"callStatus": true}
200 bob    GET /api/groups/1/callParticipants
201 alice  POST /api/groups/1/callParticipants {"userId": 1}
200 bob    POST /api/groups/1/callParticipants {"userId": 2}  # who is on the list already
200 alice  DELETE /api/groups/1/callParticipants
200 alice  PUT /api/groups/1/callParticipants/2 {"muted": true}
200 bob    DELETE /api/groups/1/callParticipants/2
200 bob    GET /api/groups/1/groupOwners
201 root   POST /api/groups/1/groupOwners {"userId": 3}
200 alice  POST /api/groups/1/groupOwners {"userId": 1}  # who is on the list already
200 root   DELETE /api/groups/1/groupOwners/2
200 bob    GET /api/groups/1/groupOwners/detailed
200 bob    GET /api/groups/1/groupMembers
201 carol  POST /api/groups/1/groupMembers {"userId": 3}  # Carol accepts her invitation
200 bob    POST /api/groups/1/groupMembers {"userId": 2}  # who is on the list already
200 bob    DELETE /api/groups/1/groupMembers/2  # Bob leaves
200 bob    GET /api/groups/1/groupMembers/detailed
200 bob    GET /api/groups/1/groupInvitees
201 alice  POST /api/groups/1/groupInvitees {"userId": 4}
200 alice  POST /api/groups/1/groupInvitees {"userId": 3}  # who is on the list already
200 carol  DELETE /api/groups/1/groupInvitees/3  # Carol declines
200 bob    GET /api/groups/1/groupInvitees/detailed
200 alice  GET /api/groups/1/invitationLinks
201 alice  POST /api/groups/1/invitationLinks {"maxUses": 3, "expiresInDays": 7}
200 alice  DELETE /api/groups/1/invitationLinks/1
200 nobody GET /api/groups/invitations/{link}
200 dave   POST /api/groups/invitations/{link}/accept {}

200 bob    GET /api/groups/1/call
200 alice  PUT /api/groups/1/call {"locked": true}
200 alice  DELETE /api/groups/1/call/unknownCallers
200 bob    GET /api/groups/1/call/endWhenAlone
200 alice  PUT /api/groups/1/call/endWhenAlone {"endWhenAlone": false}
200 bob    GET /api/groups/1/call/language
200 alice  PUT /api/groups/1/call/language {"language": "de-DE"}
200 bob    GET /api/groups/1/captions
200 bob    PUT /api/groups/1/captions {"on": true, "language": "en-US"}
201 bob    POST /api/groups/1/spokenMessages {"text": "I am muted, go on without me."}
200 bob    GET /api/groups/1/dialIn
200 bob    POST /api/groups/1/dialIn/pin {}
202 alice  POST /api/groups/1/ring {"userIds": [2, 1]}
200 bob    GET /api/live?groupId=1
201 bob    POST /api/live/tickets

200 bob    GET /api/voice/accessToken
201 bob    POST /api/voice/registerBinding {"identity": "u_2", "Address": "c0ffee", "BindingType": "apn", "tags": [1]}
201 bob    POST /api/voice/register-binding {"identity": "u_2", "Address": "c0ffee", "BindingType": "fcm", "tags": [1]}
200 bob    DELETE /api/voice/registerBinding?Address=c0ffee
200 bob    DELETE /api/voice/register-binding?Address=c0ffee
200 alice  POST /api/voice/sendNotification {"groupId": 1, "message": "A group chat has started."}
200 alice  POST /api/voice/send-notification {"groupId": 1}
200 twilio GET /api/voice/makeCall?to=1&From=client%3Au_2&CallSid=CA3
200 twilio POST /api/voice/makeCall {"to": 1, "From": "client:u_2", "CallSid": "CA3"}
200 twilio POST /api/voice/dialIn {"CallSid": "CA4", "From": "+4915100000", "To": "+12025550100"}
200 twilio POST /api/voice/dialIn/pin {"CallSid": "CA4", "From": "+4915100000", "To": "+12025550100", "Digits": "{pin}"}
200 twilio POST /api/voice/ringAnswer?leg=1 {"CallSid": "CA5", "From": "+12025550100", "To": "+4915100001"}
200 twilio POST /api/voice/announcement?say=alone&language=en {"AccountSid": "ACtest", "CallSid": "CA1", "ConferenceSid": "CF1", "FriendlyName": "1", "ApiVersion": "2010-04-01"}
200 twilio POST /api/voice/keypad {"CallSid": "CA2", "Digits": "2"}
204 twilio POST /api/voice/captionEvents {"AccountSid": "ACtest", "CallSid": "CA1", "TranscriptionSid": "GT1", "TranscriptionEvent": "transcription-content", "SequenceId": 2, "Timestamp": "2026-11-30T12:00:00.000Z", "Track": "inbound_track", "LanguageCode": "en-US", "Final": true, "TranscriptionData": "{\\"transcript\\": \\"Hello everybody\\", \\"confidence\\": 0.97}"}
204 twilio POST /api/voice/conferenceEvents {"AccountSid": "ACtest", "CallSid": "CA1", "ConferenceSid": "CF1", "FriendlyName": "1", "StatusCallbackEvent": "participant-join", "SequenceNumber": 1, "Timestamp": "Mon, 30 Nov 2026 12:00:00 +0000", "Muted": false, "Hold": false, "Coaching": false, "StartConferenceOnEnter": true, "EndConferenceOnExit": false}
204 twilio POST /api/voice/callEvents {"AccountSid": "ACtest", "CallSid": "CA1", "CallStatus": "completed", "CallDuration": 61, "Duration": 2, "SequenceNumber": 3, "Timestamp": "Mon, 30 Nov 2026 12:01:01 +0000", "CallbackSource": "call-progress-events", "Direction": "inbound", "From": "client:u_2", "ApiVersion": "2010-04-01"}

200 alice  POST /api/billing/addMoney {"userId": 1, "amountToAdd": 20}  # 20 dollars
200 bob    POST /api/billing/addMoney {"userId": 2, "amountToAdd": 0.5}  # less than a dollar
200 alice  POST /api/billing/createCharge {"userStripeId": "cus_1", "amountToAdd": 2000}  # 2,000 cents
200 alice  POST /api/billing/attachSourceToCustomer {"userStripeId": "cus_1", "sourceId": "tok_mastercard"}
200 alice  POST /api/billing/retrieveCustomerDefaultSource {"userStripeId": "cus_1"}
200 alice  POST /api/billing/updateCreditCard {"userId": 1, "sourceId": "tok_visa"}
200 alice  POST /api/billing/updateDefaultSource {"userStripeId": "cus_1", "sourceId": "{card}"}
200 alice  POST /api/billing/userStripeCharges {"userStripeId": "cus_1"}
200 root   GET /api/billing/allTwilioCharges?limit=1
200 bob    POST /api/billing/groupTwilioCharges {"groupId": 1}
204 stripe POST /api/billing/stripeWebhook {"id": "evt_1", "object": "event", "type": "customer.created", "data": {"object": {"id": "cus_1", "object": "customer"}}}

200 bob    POST /api/upload {"image": "the picture"}
"""  # noqa: E501  # an address and what is sent there are one line
