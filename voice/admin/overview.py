"""What operators see first of calls."""

from datetime import datetime

from django.db.models import Count, Sum
from django.urls import reverse

from users.operators.overview import Figure, Panel, by_day, on_first_page, picture
from voice.models import Call


@on_first_page("voice.view_call")
def calls(now: datetime) -> Panel:
    on = Call.objects.filter(is_on=True).aggregate(phones=Count("pk"), groups=Count("group_id", distinct=True))
    missing, doubted = Call.objects.without_price(now).count(), Call.objects.long_in_doubt(now).count()
    days = by_day(Call.objects.all(), "start_time", now, phones=Count("pk"), seconds=Sum("duration"))
    every = reverse("admin:voice_call_changelist")
    return Panel(
        "Calls",
        [
            Figure("phones on a call now", str(on["phones"]), reverse("admin:voice_running_calls")),
            Figure("groups that talk now", str(on["groups"]), reverse("admin:voice_running_calls")),
            Figure("without a price for a day", str(missing), f"{every}?missing=price", bool(missing)),
            Figure("not known to Twilio for an hour", str(doubted), f"{every}?doubt=hour", bool(doubted)),
        ],
        [
            picture("Phones a day", now, {day: row["phones"] for day, row in days.items()}),
            picture("Minutes a day", now, {day: (row["seconds"] or 0) // 60 for day, row in days.items()}),
        ],
    )
