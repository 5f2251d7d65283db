"""The contracts: what every table of the pipeline holds, and the rules it keeps.

Imports nothing of the project. Import a table's contract from its layer's module.
"""
