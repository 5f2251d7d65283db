"""The paper's study with three centres and a few patients each."""

from pathlib import Path

from sarcoma_pipeline.synthetic import crowd
from tests.refreshed import Place, lay

CENTRES = ("north", "south", "west")
BY_CENTRE = """
[[covariates]]
name = "centre"
column = "centre"
kind = "factor"
reference = "north"
levels = ["north", "south", "west"]

[centres]
north = "data/drop/north"
south = "data/drop/south"
west = "data/drop/west"
"""


def lay_three(root: Path) -> Place:
    """Create a project root; two of the centres use the same hospital numbers."""
    place = lay(root)
    study = place.root / "data/studies/sts_imrt/study.toml"
    text = study.read_text().replace('subgroups = ["sex"', 'subgroups = ["centre", "sex"')
    study.write_text(text + BY_CENTRE)
    for seed, centre in ((5, "north"), (6, "south"), (1005, "west")):
        crowd.write(place.root / "data/drop" / centre, 8, seed, place.root / "data/demo", 0.2, 1.0, 1)
    return place
