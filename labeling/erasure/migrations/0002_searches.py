"""What a search finds can be erased."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('erasure', '0001_erased'),
    ]

    operations = [
        migrations.AlterField(
            model_name='erasure',
            name='scope',
            field=models.CharField(choices=[('photos', 'Photos'), ('group', 'A photo and its near-duplicates'), ('source', 'All photos of a source'), ('found', 'All photos of a search'), ('project', 'All photos of the project'), ('limit', 'Time limit of the project'), ('again', 'Had been erased, and came back')], max_length=8),
        ),
    ]
