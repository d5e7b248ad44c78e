"""Inspections by the API, their verdicts, and a checker that knows none of the room's code."""
