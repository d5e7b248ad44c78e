from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("queue", "0002_entries_in_partitions")]

    operations = [
        migrations.AddField(
            model_name="ranking",
            name="judged_by",
            field=models.CharField(
                blank=True,
                default="",
                help_text="rule and guideline that begun answers were judged by",
                max_length=80,
            ),
        ),
    ]
