"""Contracts of all tables: columns, code lists and record rules.

This package imports nothing else of the project. Import a table's contract from the module of its layer.
"""
