"""What is known of a photo beside its picture can be forgotten, with who said it when."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0026_erased'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='metadatachange',
            name='append_only',
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='metadatachange',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF TG_OP = 'UPDATE' AND current_setting('hilltop.erasing', true) = 'on' THEN IF to_jsonb(NEW) - ARRAY['origin', 'data'] = to_jsonb(OLD) - ARRAY['origin', 'data'] AND NEW.origin IN ('', OLD.origin) AND OLD.data @> NEW.data THEN RETURN NEW; END IF; END IF; RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='186c9ae0c1d1c67197915bce2fd1feac2272b5eb', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_df298', table='catalog_metadatachange', when='BEFORE')),
        ),
    ]
