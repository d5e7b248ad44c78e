"""What was said of an open dispute's photo is kept with its row: what disputes are filtered and counted by needs no answers."""

from importlib import import_module

import django.contrib.postgres.fields
from django.db import migrations, models

kept = import_module("labeling.truth.migrations.0007_tallies")
since = import_module("labeling.truth.migrations.0012_open_disputes_in_order")

_FIELDS = ("item_id", "cause", "classes", "answers", "band", "answered_by")
_COLUMNS = ", ".join(_FIELDS)
# Of any dispute. Those of its round count, but for gold; whoever answered its photo in any round may not rule on it.
_VIEW = """
CREATE VIEW truth_said_in_dispute AS
SELECT d.id AS dispute_id, d.item_id, d.cause, said.classes, said.answers, said.band, said.answered_by
FROM truth_dispute d CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(DISTINCT a.label_class_id) FILTER (WHERE counts.here AND a.kind = 'class'), '{}') AS classes,
           count(*) FILTER (WHERE counts.here) AS answers,
           min(CASE WHEN counts.here AND jsonb_typeof(a.context -> 'band') = 'number'
                    THEN (a.context ->> 'band')::int END) AS band,
           coalesce(array_agg(DISTINCT a.labeler_id), '{}') AS answered_by
    FROM truth_annotation a CROSS JOIN LATERAL (SELECT a.round = d.round AND a.draw <> 'gold' AS here) counts
    WHERE a.item_id = d.item_id AND NOT EXISTS (SELECT 1 FROM truth_retraction x WHERE x.annotation_id = a.id)) said
"""
_BEGINS = f"""
CREATE OR REPLACE FUNCTION truth_open_dispute_since() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT created_at INTO NEW.since FROM truth_dispute WHERE id = NEW.dispute_id;
    SELECT {_COLUMNS} INTO {", ".join(f"NEW.{each}" for each in _FIELDS)}
    FROM truth_said_in_dispute WHERE dispute_id = NEW.dispute_id;
    RETURN NEW;
END $$;
"""
_SAID = f"""
CREATE FUNCTION truth_open_dispute_said() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    photo bigint;
BEGIN
    IF TG_TABLE_NAME = 'truth_retraction' THEN
        SELECT item_id INTO photo FROM truth_annotation WHERE id = NEW.annotation_id;
    ELSE
        photo := NEW.item_id;
    END IF;
    UPDATE truth_opendispute o SET ({_COLUMNS}) = (
        SELECT {_COLUMNS} FROM truth_said_in_dispute s WHERE s.dispute_id = o.dispute_id)
    WHERE o.item_id = photo;
    RETURN NULL;
END $$;
CREATE TRIGGER said_in_dispute AFTER INSERT ON truth_annotation FOR EACH ROW EXECUTE FUNCTION truth_open_dispute_said();
CREATE TRIGGER said_in_dispute AFTER INSERT ON truth_retraction FOR EACH ROW EXECUTE FUNCTION truth_open_dispute_said();
"""
_NOT_SAID = """
DROP TRIGGER said_in_dispute ON truth_annotation;
DROP TRIGGER said_in_dispute ON truth_retraction;
DROP FUNCTION truth_open_dispute_said;
"""
_MEND = "CREATE OR REPLACE FUNCTION truth_open_disputes_mend() RETURNS bigint LANGUAGE sql AS $$\n    WITH open AS ("
_OTHER = """    other AS (
        UPDATE truth_opendispute o SET held = open.held FROM open
        WHERE o.dispute_id = open.id AND o.held <> open.held RETURNING 1),"""
_OTHER_SAID = f"""    other AS (
        UPDATE truth_opendispute o SET held = open.held, ({_COLUMNS}) = ROW(s.{_COLUMNS.replace(", ", ", s.")})
        FROM open JOIN truth_said_in_dispute s ON s.dispute_id = open.id
        WHERE o.dispute_id = open.id AND (o.held, o.{_COLUMNS.replace(", ", ", o.")})
              IS DISTINCT FROM (open.held, s.{_COLUMNS.replace(", ", ", s.")}) RETURNING 1),"""
_BEFORE = kept._FUNCTIONS[kept._FUNCTIONS.index("CREATE FUNCTION truth_open_disputes_mend") :]
_BEFORE = _BEFORE[: _BEFORE.index("$$;") + len("$$;")].replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
assert _OTHER in _BEFORE
FORWARD = [_VIEW, _BEGINS, _SAID, _BEFORE.replace(_OTHER, _OTHER_SAID), "SELECT truth_open_disputes_mend()"]
_SINCE = since.FORWARD[: since.FORWARD.index("CREATE TRIGGER")].replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
BACKWARD = [_NOT_SAID, _SINCE, _BEFORE, "DROP VIEW truth_said_in_dispute"]


def _ids() -> django.contrib.postgres.fields.ArrayField:
    return django.contrib.postgres.fields.ArrayField(models.BigIntegerField(), null=True)


class Migration(migrations.Migration):
    dependencies = [("truth", "0014_erased")]

    operations = [
        # Where all migrations share a transaction, no table is altered while a check of its rows waits.
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.RunSQL("SET CONSTRAINTS ALL DEFERRED", migrations.RunSQL.noop),
        migrations.AddField(
            "OpenDispute",
            "item",
            models.ForeignKey(
                "catalog.item",
                null=True,
                on_delete=models.CASCADE,
                related_name="+",
                db_constraint=False,
                db_index=False,
            ),
        ),
        migrations.AddIndex("OpenDispute", models.Index(fields=["item"], name="open_dispute_of_photo")),
        migrations.AddField("OpenDispute", "cause", models.CharField(max_length=12, default="", db_default="")),
        migrations.AddField("OpenDispute", "classes", _ids()),
        migrations.AddField("OpenDispute", "answers", models.IntegerField(null=True)),
        migrations.AddField("OpenDispute", "band", models.IntegerField(null=True)),
        migrations.AddField("OpenDispute", "answered_by", _ids()),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
