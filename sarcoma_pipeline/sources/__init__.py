"""Files to received frames: a module per format, and the manifest of files.

A reader never raises on a bad record: it hands over what it could read and notes the rest in
``received.unread``, with the position and the file rule that is broken.
"""
