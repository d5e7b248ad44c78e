#!/usr/bin/env python
"""Django's command line, with the embedded database at hand."""

import os
import sys

NEED_NO_DATABASE = {"makemessages", "compilemessages", "collectstatic", "--version", "help"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    # Only a worker loads the task modules (they import torch), and it decides so before Django starts.
    if command == "worker":
        os.environ["HILLTOP_ROLE"] = "worker"
    if command not in NEED_NO_DATABASE:
        from config.database import ensure_database

        # A command on its own leaves no server behind; the supervisor of these two stops it in its turn.
        ensure_database(keep_running=command in {"demo", "serve"})
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
