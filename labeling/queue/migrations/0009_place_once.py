"""The steps of an order are found once, not for each of its scores: a query that is named once is otherwise put into the one
that names it, and was made again a million times."""

from django.db import migrations


def _named(before: str, after: str) -> str:
    return f"""
DO $$ BEGIN
    EXECUTE replace(replace(pg_get_functiondef('queue_place(bigint)'::regprocedure),
                            ' step AS {before}(', ' step AS {after}('),
                    ' photos AS {before}(', ' photos AS {after}(');
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("queue", "0008_placed_truths")]

    operations = [
        migrations.RunSQL(
            _named("", "MATERIALIZED "),
            _named("MATERIALIZED ", ""),
        )
    ]
