"""Why a whole source cannot be used, and what to do: kept in English, told in the reader's language."""

from __future__ import annotations

from django.utils.translation import gettext_noop

from labeling.jobs.told import know

TEXTS = {
    "archive_gone": gettext_noop("The archive is gone. Send it again."),
    "archive_broken": gettext_noop(
        "The file is no whole zip archive. Pack the photos again and send it again."
    ),
    "archive_many": gettext_noop("The archive holds more than %(limit)s files. Split it and send the parts."),
    "archive_large": gettext_noop(
        "The archive unpacks to more than %(limit)s\u00a0GB. Split it and send the parts."
    ),
    "folder_outside": gettext_noop("The folder is outside the folders that are open for intake."),
    "folder_gone": gettext_noop("The folder is gone. Put it back and start the intake again."),
    "folder_closed": gettext_noop(
        "The server may not read this folder. Allow it, and start the intake again."
    ),
    "table_gone": gettext_noop("The table is gone. Send it again."),
    "table_unreadable": gettext_noop(
        "The table cannot be read. Save it as CSV (UTF-8); its first line names each column once, one “url”."
    ),
    "table_long": gettext_noop("The table holds more than %(limit)s addresses. Split it and send the parts."),
    "bucket_closed": gettext_noop(
        "This bucket is not open for intake. The server's administrator can open it."
    ),
    "bucket_refuses": gettext_noop(
        "The bucket refuses (%(code)s). The server's administrator can look at the keys that it is opened with."
    ),
    "bucket_silent": gettext_noop("The bucket does not answer. It is looked at again when it is due."),
    "buckets_unread": gettext_noop("This server lacks what reads buckets: install django-storages[s3]."),
    "empty": gettext_noop("There are no files in it. Check what you sent, and send it again."),
}
know(TEXTS.values())


class SourceError(Exception):
    """``code``: of :data:`TEXTS`, with what ``about`` the text names."""

    def __init__(self, code: str, /, **about: object) -> None:
        super().__init__(TEXTS[code] % about)
