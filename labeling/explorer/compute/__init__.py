"""The room's bridge to ``inference``: only a worker imports these modules, never the web process."""
