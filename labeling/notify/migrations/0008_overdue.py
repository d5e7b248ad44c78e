from django.db import migrations

from labeling.notify.listening import listens

# To whom the verdict is told, that there is none yet is told.
_OVERDUE = """
SELECT 'inspection.overdue',
       (SELECT CASE WHEN count(DISTINCT c.project_id) = 1 THEN min(c.project_id) END
        FROM inspections_check c JOIN inspections_shot s ON s.id = c.shot_id WHERE s.version_id = n.version_id),
       'inspection/' || n.id, came.id::text
FROM came JOIN inspections_inspection n ON n.id = came.inspection_id ORDER BY came.id
"""
_FORWARD, _BACKWARD = listens('overdue', 'inspections_overdueinspection', _OVERDUE)


class Migration(migrations.Migration):

    dependencies = [
        ('notify', '0007_slack'),
        ('inspections', '0005_overdue'),
    ]

    operations = [
        migrations.RunSQL(_FORWARD, _BACKWARD),
    ]
