"""Everything that imports Dagster: assets, jobs, schedules, sensors, the DuckDB resource."""
