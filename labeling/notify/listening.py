"""SQL by which the database writes an event in the transaction of what happened, and has it delivered.

A statement costs a look at the endpoints where nobody listens, and one statement more where somebody does, however many
rows it wrote: bulk writes are heard as single ones are, and no request makes a query for it. What stands here is read by
migrations, so it is not changed: what must differ gets a function of its own.
"""

from __future__ import annotations

from django.db import connection

#: The task that delivers, and what keeps it from running twice at a time.
TASK = "hilltop.deliver"
QUEUE, PRIORITY = "cpu", 10
#: The task that looks for what was decided of what somebody wants to be called back on.
LOOK = "hilltop.call_back"

WAKE = f"""
CREATE FUNCTION notify_wake() RETURNS void LANGUAGE sql AS $$
    SELECT procrastinate_defer_jobs_v1(ARRAY[
        ROW('{QUEUE}', '{TASK}', {PRIORITY}, '{TASK}', NULL, '{{}}'::jsonb, NULL)::procrastinate_job_to_defer_v1])
$$;
"""
#: An event reaches whoever listens to its kind in its project, or in all of them.
HEARD = """
CREATE FUNCTION notify_heard(what varchar, of_project bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM notify_endpoint e
                   WHERE (e.project_id IS NULL OR e.project_id = of_project) AND what = ANY (e.events))
$$;
"""
FAN_OUT = """
CREATE FUNCTION notify_fan_out() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO notify_delivery (endpoint_id, event_id, subject)
    SELECT e.id, came.id, came.subject
    FROM came JOIN notify_endpoint e
    ON (e.project_id IS NULL OR e.project_id = came.project_id) AND came.kind = ANY (e.events)
    ORDER BY came.id;
    IF FOUND THEN PERFORM notify_wake(); END IF;
    RETURN NULL;
END $$;
"""


def listens(name: str, table: str, told: str) -> tuple[str, str]:
    """SQL that has rows which come into ``table`` written down as events, and SQL that ends it.

    Args:
        name: of the trigger and its function.
        told: a query over ``came``, the rows, in the order in which they are told: the kind, the project's id (NULL: only
            endpoints of the whole site hear it), the subject, the row's key as text.
    """
    forward = f"""
    CREATE FUNCTION notify_{name}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT 1 FROM notify_endpoint) THEN
            INSERT INTO notify_event (kind, project_id, subject, source, row)
            SELECT told.kind, told.project_id, told.subject, '{table}', told.row
            FROM ({told}) AS told (kind, project_id, subject, row)
            WHERE notify_heard(told.kind::varchar, told.project_id);
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER notify_{name} AFTER INSERT ON {table} REFERENCING NEW TABLE AS came
    FOR EACH STATEMENT EXECUTE FUNCTION notify_{name}();
    """
    return forward, f"DROP TRIGGER notify_{name} ON {table}; DROP FUNCTION notify_{name}();"


def forget_other_calls(task: str) -> None:
    """Calls that are committed are heard by the job that runs, as what they tell of is: they need no job of their own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM procrastinate_jobs WHERE id IN (SELECT id FROM procrastinate_jobs"
            " WHERE task_name = %s AND status = 'todo' FOR UPDATE SKIP LOCKED)",
            [task],
        )


def wake() -> None:
    """Have what waits delivered, once this transaction is committed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT notify_wake()")
