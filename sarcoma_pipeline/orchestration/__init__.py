"""All modules that import Dagster: assets, jobs, schedules, sensors, the DuckDB resource."""
