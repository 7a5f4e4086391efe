"""Schedules beside the frameworks' own."""
