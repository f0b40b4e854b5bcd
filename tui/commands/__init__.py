"""The client's work without screens: one command for each thing that the screens do. No Textual in here."""
