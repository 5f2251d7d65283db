"""One study: its paths, its configuration and what identifies the program that builds it."""
