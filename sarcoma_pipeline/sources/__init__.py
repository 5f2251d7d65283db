"""Reads files into received frames: one module per format, and the manifest of files.

A reader never raises because of a bad record: it returns what it could read, and notes the rest in
``received.unread`` with position and rule.
"""
