from django.db import migrations, models

# −ln(1 − u) of a uniform u is exponential and keeps the order. What arrived behind the walk's place is brought forward by the
# next draw.
FORWARDS = "UPDATE catalog_item SET random_key = -ln(1.0 - random_key)"
BACKWARDS = "UPDATE catalog_item SET random_key = least(1.0 - exp(-random_key), 0.9999999999999999)"


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0010_near_duplicates"),
    ]

    operations = [
        migrations.RunSQL(FORWARDS, BACKWARDS),
        migrations.AlterField(
            model_name="item",
            name="random_key",
            field=models.FloatField(
                help_text="exponential beyond the walk's place at intake: the order in which the audit draws"
            ),
        ),
        migrations.AddIndex(
            model_name="item",
            index=models.Index(
                condition=models.Q(("audit_drawn_at__isnull", False)),
                fields=["project", "random_key"],
                name="item_audit_place",
            ),
        ),
    ]
