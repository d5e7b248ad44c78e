from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('truth', '0009_pace_of_rulings'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='annotation',
            index=models.Index(condition=models.Q(('reason', ''), _negated=True), fields=['project', 'reason', 'item'], name='answers_by_reason'),
        ),
    ]
