"""Define what a browser may load for a static page: its own styles, and nothing from elsewhere."""

STATIC_PAGE = "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'unsafe-inline'"
"""Content-Security-Policy of pages without scripts. Inline styles are allowed, for column widths."""
