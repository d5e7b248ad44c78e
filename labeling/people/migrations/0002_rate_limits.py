from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("people", "0001_initial")]
    operations = [
        migrations.CreateModel(
            name="RateLimit",
            fields=[
                ("key", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("count", models.PositiveIntegerField()),
                ("ends_at", models.DateTimeField(db_index=True)),
            ],
        ),
        # Counts are worth no write-ahead log: a database that crashes may forget them.
        migrations.RunSQL(
            "ALTER TABLE people_ratelimit SET UNLOGGED", "ALTER TABLE people_ratelimit SET LOGGED"
        ),
    ]
