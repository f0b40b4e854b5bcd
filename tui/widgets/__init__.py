"""Widgets: they show data and post messages; none of them knows HTTP or where its words come from."""
