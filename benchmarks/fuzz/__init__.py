"""Requests, photos, archives and tables that nobody meant to send: nothing breaks or hangs, and each refusal says why."""
