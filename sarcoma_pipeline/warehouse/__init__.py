"""The DuckDB file (or DuckLake catalog) of a study: tables, writes, step cache, migrations, permissions."""
