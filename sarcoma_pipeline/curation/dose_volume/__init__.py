"""Compute volumes of structures and the doses in them from contours and dose grids."""
