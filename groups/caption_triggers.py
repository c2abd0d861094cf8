"""The database itself numbers the captions of a group, in the order in which they were committed, and counts the
changes of what is being said. Both counts stand in a row of their own (`captionCounts`): a caption makes no kept answer
about its group old.

A caption that changes is told again, under a new number. What is emptied or deleted is told to nobody.
"""

from core.triggers import Trigger

TOLD = ('"createdAt"', "spoken", "why")
"""The columns whose change is told."""
COUNT = (
    'INSERT INTO "captionCounts" ("groupId", "{count}") VALUES (NEW."groupId", 1) '
    'ON CONFLICT ("groupId") DO UPDATE SET "{count}" = "captionCounts"."{count}" + 1'
)
NUMBER = (
    'BEGIN {count}; UPDATE captions SET number = (SELECT "lastCaption" FROM "captionCounts" '
    'WHERE "groupId" = NEW."groupId") WHERE id = NEW.id; END'
)
FUNCTION = (
    "CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {work}; RETURN NEW; END $$;"
)
COUNT_CAPTION, COUNT_PARTIAL = COUNT.format(count="lastCaption"), COUNT.format(count="lastPartial")
OLD, NEW = (", ".join(f"{row}.{column}" for column in TOLD) for row in ("OLD", "NEW"))


def numbered(verb: str, *, sqlite: str, postgresql: str) -> Trigger:
    return Trigger(
        f"caption_{verb}",
        "captions",
        sqlite=f"AFTER {sqlite} {NUMBER.format(count=COUNT_CAPTION)}",
        postgresql=f"BEFORE {postgresql} EXECUTE FUNCTION number_caption()",
        function=FUNCTION.format(
            name="number_caption", work=f'{COUNT_CAPTION} RETURNING "lastCaption" INTO NEW.number'
        ),
    )


def counted(verb: str) -> Trigger:
    return Trigger(
        f"partial_caption_{verb}",
        "partialCaptions",
        sqlite=f'AFTER {verb} ON "partialCaptions" BEGIN {COUNT_PARTIAL}; END',
        postgresql=f'AFTER {verb} ON "partialCaptions" FOR EACH ROW EXECUTE FUNCTION count_partial_caption()',
        function=FUNCTION.format(name="count_partial_caption", work=COUNT_PARTIAL),
    )


TRIGGERS = (
    numbered("insert", sqlite="INSERT ON captions", postgresql="INSERT ON captions FOR EACH ROW"),
    numbered(
        "update",
        sqlite=f"UPDATE OF {', '.join(TOLD)} ON captions WHEN ({OLD}) IS NOT ({NEW})",
        postgresql=f"UPDATE ON captions FOR EACH ROW WHEN (({OLD}) IS DISTINCT FROM ({NEW}))",
    ),
    counted("insert"),
    counted("update"),
)
