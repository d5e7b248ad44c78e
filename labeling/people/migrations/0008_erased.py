"""Addresses beside sign-ins can be forgotten."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('people', '0007_audit_trail'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='accountevent',
            name='append_only',
        ),
        migrations.AlterField(
            model_name='accountevent',
            name='kind',
            field=models.CharField(choices=[('invited', 'Invited'), ('link_made', 'One-time link made'), ('link_mailed', 'One-time link asked for by mail'), ('password_set', 'Password set'), ('switched_off', 'Switched off'), ('switched_on', 'Switched on'), ('signed_out', 'Signed out everywhere'), ('token_made', 'Token made'), ('token_revoked', 'Token revoked'), ('two_step_on', 'Two-step sign-in switched on'), ('two_step_off', 'Two-step sign-in switched off'), ('joined', 'Joined to single sign-on'), ('superuser_on', 'Became an administrator of the site'), ('superuser_off', 'No longer an administrator of the site'), ('signed_in', 'Signed in'), ('sign_in_failed', 'Sign-in refused: wrong password'), ('code_failed', 'Sign-in refused: wrong code'), ('trail_exported', 'Audit trail exported'), ('erasure_asked', 'Identity hidden, to be erased'), ('erasure_undone', 'Identity brought back'), ('erased', 'Identity erased')], max_length=20),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='accountevent',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF TG_OP = 'UPDATE' AND current_setting('hilltop.erasing', true) = 'on' THEN IF to_jsonb(NEW) - ARRAY['what'] = to_jsonb(OLD) - ARRAY['what'] AND NEW.what IN ('', OLD.what) THEN RETURN NEW; END IF; END IF; RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='a2c8667f4a15ea3231ab19d49ea67f7e65673607', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_37ca6', table='people_accountevent', when='BEFORE')),
        ),
    ]
