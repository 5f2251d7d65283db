"""The report: tables, figures and words made of a release's frames, as one self-contained page.

Belongs here: what is printed and how. Nothing is estimated here: the numbers are those of the
released tables.
"""
