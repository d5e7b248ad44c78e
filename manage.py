#!/usr/bin/env python
"""Django's command line, with the embedded database at hand."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from config.database import ensure_database

    if not {"makemessages", "compilemessages", "--version", "help"} & set(sys.argv[1:2]):
        ensure_database()
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
