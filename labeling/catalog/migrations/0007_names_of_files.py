"""How names of files are read; names that are there are composed (NFC), as those that come; dates that nobody can read go."""

from django.db import migrations, models

_COMPOSED = "UPDATE {table} SET {column} = normalize({column}, NFC) WHERE {column} IS NOT NFC NORMALIZED"
_NAMES = [
    ("catalog_item", "name"),
    ("catalog_item", "source"),
    ("catalog_intakefile", "name"),
    ("catalog_intakebatch", "source"),
]


class Migration(migrations.Migration):
    dependencies = [("catalog", "0006_viewer")]

    operations = [
        migrations.AddField(
            model_name="intakebatch",
            name="encoding",
            field=models.CharField(
                blank=True,
                default="",
                help_text="of names that came as bytes; empty: to be found, or none did",
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="intakebatch",
            name="encoding_guessed",
            field=models.BooleanField(default=False, help_text="another encoding would fit as well"),
        ),
        migrations.AddField(
            model_name="intakefile",
            name="name_bytes",
            field=models.BinaryField(
                help_text="the name as it came, where nothing said how it is meant", null=True
            ),
        ),
        *(
            migrations.RunSQL(_COMPOSED.format(table=table, column=column), migrations.RunSQL.noop)
            for table, column in _NAMES
        ),
        # Python reads no year beyond these, so that one such row made every list with it fail.
        migrations.RunSQL(
            "UPDATE catalog_image SET taken_at = NULL WHERE taken_at < '0002-01-01Z' OR taken_at >= '9999-01-01Z'",
            migrations.RunSQL.noop,
        ),
    ]
