"""The contracts of all tables: columns, code lists and record rules.

Imports nothing else of the project. Import a table's contract from the module of its layer.
"""
