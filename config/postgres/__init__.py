"""Django's PostgreSQL, for a database that is restarted, frozen or gone now and then. See ``base``."""
