"""What people wrote of a photo can be erased, and a photo can leave its project: counts of photos follow, and emptying a text
counts nothing anew."""

from importlib import import_module

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations

from labeling.database.append_only import ERASES

before = import_module("labeling.truth.migrations.0013_random_labels")

_VIEW = before.FORWARD[0]
_OF_ALL = "ARRAY[CASE WHEN i.audit_drawn_at IS NULL THEN 'left' ELSE 'drawn' END], 1, 0\nFROM catalog_item i\n"
assert _OF_ALL in _VIEW
_DRAWN = """
CREATE OR REPLACE FUNCTION truth_tally_photo_drawn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO truth_tally (project_id, what, at, key, n, amount, folded)
    SELECT each.project_id, 'photos', NULL, ARRAY[CASE WHEN each.at IS NULL THEN 'left' ELSE 'drawn' END], each.sign, 0, false
    FROM (VALUES (-1, OLD.project_id, OLD.audit_drawn_at), (1, NEW.project_id, NEW.audit_drawn_at)) AS each (sign, project_id, at)
    {0};
    WITH other AS (
        UPDATE truth_opendispute o SET held = NOT o.held FROM truth_dispute d
        WHERE d.id = o.dispute_id AND d.item_id = NEW.id AND o.held <> (d.held AND NEW.audit_drawn_at IS NULL)
        RETURNING o.project_id, o.held)
    INSERT INTO truth_tally (project_id, what, at, key, n, amount, folded)
    SELECT project_id, 'disputes', NULL, ARRAY[CASE WHEN each.held THEN 'held' ELSE 'waiting' END], each.sign, 0, false
    FROM other, LATERAL (VALUES (-1, NOT other.held), (1, other.held)) AS each (sign, held);
    RETURN NULL;
END $$;
"""
_TRIGGER = """
DROP TRIGGER tally_photo_drawn ON catalog_item;
CREATE TRIGGER tally_photo_drawn AFTER UPDATE OF project_id, audit_drawn_at ON catalog_item FOR EACH ROW
    WHEN ((OLD.audit_drawn_at IS NULL) <> (NEW.audit_drawn_at IS NULL) OR OLD.project_id {0} NEW.project_id)
    EXECUTE FUNCTION truth_tally_photo_drawn();
"""
_MENDED = """
CREATE OR REPLACE FUNCTION truth_tally_mended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {0}
    PERFORM truth_tally_mend(NULL), truth_open_disputes_mend();
    RETURN NULL;
END $$;
"""
FORWARD = [
    _VIEW.replace(_OF_ALL, f"{_OF_ALL.rstrip()} WHERE i.project_id IS NOT NULL\n"),
    _DRAWN.format("WHERE each.project_id IS NOT NULL"),
    _TRIGGER.format("IS DISTINCT FROM"),
    _MENDED.format(f"IF {ERASES} THEN RETURN NULL; END IF;"),
]
BACKWARD = [_VIEW, _DRAWN.format(""), _TRIGGER.format("<>"), _MENDED.format("")]


class Migration(migrations.Migration):

    dependencies = [
        ('truth', '0013_random_labels'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='annotation',
            name='append_only',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='dispute',
            name='append_only',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='ruling',
            name='append_only',
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='annotation',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF TG_OP = 'UPDATE' AND current_setting('hilltop.erasing', true) = 'on' THEN IF to_jsonb(NEW) - ARRAY['comment'] = to_jsonb(OLD) - ARRAY['comment'] AND NEW.comment IN ('', OLD.comment) THEN RETURN NEW; END IF; END IF; RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='f248ff1d58dc253d0d399e1b73204f563ec11075', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_40729', table='truth_annotation', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='dispute',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF TG_OP = 'UPDATE' AND current_setting('hilltop.erasing', true) = 'on' THEN IF to_jsonb(NEW) - ARRAY['note'] = to_jsonb(OLD) - ARRAY['note'] AND NEW.note IN ('', OLD.note) THEN RETURN NEW; END IF; END IF; RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='93e67dfa786361bd1c810dc99754e8f294da9083', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_ff1ff', table='truth_dispute', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ruling',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF TG_OP = 'UPDATE' AND current_setting('hilltop.erasing', true) = 'on' THEN IF to_jsonb(NEW) - ARRAY['comment', 'note'] = to_jsonb(OLD) - ARRAY['comment', 'note'] AND NEW.comment IN ('', OLD.comment) AND NEW.note IN ('', OLD.note) THEN RETURN NEW; END IF; END IF; RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='e69c568e5aa4aaca5c2dc7450016823961579a18', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_03460', table='truth_ruling', when='BEFORE')),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
