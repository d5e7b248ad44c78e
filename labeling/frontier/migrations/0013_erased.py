"""Why a decision was overruled can be forgotten."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('frontier', '0012_decision_tallies'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='decisionoverruled',
            name='append_only',
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='decisionoverruled',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF TG_OP = 'UPDATE' AND current_setting('hilltop.erasing', true) = 'on' THEN IF to_jsonb(NEW) - ARRAY['reason'] = to_jsonb(OLD) - ARRAY['reason'] AND NEW.reason IN ('', OLD.reason) THEN RETURN NEW; END IF; END IF; RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='2075cd45b9184d3ff28b6db3de07056c2d79be3b', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_fceb0', table='frontier_decisionoverruled', when='BEFORE')),
        ),
    ]
