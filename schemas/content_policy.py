"""What a browser may load for a page that runs nothing: its own styles, and nothing else from anywhere."""

STATIC_PAGE = "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'unsafe-inline'"
"""Content-Security-Policy of pages without scripts. Styles may stand at elements, for widths of columns."""
