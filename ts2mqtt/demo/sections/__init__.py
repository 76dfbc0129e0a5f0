"""The sections of the demo's screen, a module each; progress_rows.py and lines.py have what several of them share."""
