"""Prints the CPU time of a test run; ``make test`` must stay below six minutes."""

import os

_USER_AND_SYSTEM = slice(4)
"""Fields of ``os.times()``: this process and its ended children, including the xdist workers."""


def pytest_terminal_summary(terminalreporter):
    took = sum(os.times()[_USER_AND_SYSTEM])
    terminalreporter.write_line(f"CPU time: {took:.0f} s, user and system, of all processes")
