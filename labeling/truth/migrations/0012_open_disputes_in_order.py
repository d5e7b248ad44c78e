"""Open disputes in the order in which they wait, under an index of their own: of thousands of them a page needs the oldest."""

from django.db import migrations, models

FORWARD = """
CREATE FUNCTION truth_open_dispute_since() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT created_at INTO NEW.since FROM truth_dispute WHERE id = NEW.dispute_id;
    RETURN NEW;
END $$;
CREATE TRIGGER truth_open_dispute_since BEFORE INSERT ON truth_opendispute
    FOR EACH ROW EXECUTE FUNCTION truth_open_dispute_since();
UPDATE truth_opendispute o SET since = d.created_at FROM truth_dispute d WHERE d.id = o.dispute_id;
"""
BACKWARD = """
DROP TRIGGER truth_open_dispute_since ON truth_opendispute;
DROP FUNCTION truth_open_dispute_since;
"""


class Migration(migrations.Migration):
    dependencies = [("truth", "0011_imported")]

    operations = [
        migrations.AddField("OpenDispute", "since", models.DateTimeField(null=True, help_text="when the dispute began")),
        migrations.AddIndex(
            "OpenDispute",
            models.Index(fields=["project", "held", "since", "dispute"], name="open_dispute_in_order"),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
