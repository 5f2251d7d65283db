"""The page and the schemas of the configuration: complete, current, and true to what the files accept."""

import json
import tomllib
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from sarcoma_pipeline.cli.schema import written
from sarcoma_pipeline.sources import readers  # noqa: F401  it makes the kinds of sources known
from schemas import configuration_reference as reference
from schemas.entity_mapping import EntityMapping

DOCS = Path(__file__).parents[2] / "docs"
KEYS = [(model, key) for _, _, model in reference.sections() for key in reference.keys(model)]
SECTIONS = [(model, key) for model, key in KEYS if key.example]


def test_the_page_and_the_schemas_are_current():
    assert (DOCS / "configuration.md").read_text("utf-8") == reference.markdown()
    for file in reference.FILES:
        assert (DOCS / f"schemas/{file}.schema.json").read_text("utf-8") == written(file)


@pytest.mark.parametrize(("model", "key"), KEYS, ids=lambda v: getattr(v, "__name__", getattr(v, "name", "")))
def test_every_key_has_a_meaning(model, key):
    assert key.meaning.endswith((".", ")")), f"{model.__name__}.{key.name}: {key.meaning!r}"


@pytest.mark.parametrize(
    ("model", "key"), SECTIONS, ids=lambda v: getattr(v, "__name__", getattr(v, "name", ""))
)
def test_every_example_is_accepted(model, key):
    value = tomllib.loads(f"x = {key.example}")["x"]
    field = model.model_fields[key.name]
    if model is EntityMapping and key.name == "columns":
        assert EntityMapping.model_validate({"entity": "person", "columns": value})
        return
    TypeAdapter(field.annotation).validate_python(value)  # pyright: ignore[reportArgumentType]


def test_every_default_is_that_of_the_model():
    for model, key in KEYS:
        field = model.model_fields[key.name]
        if key.default:
            told = tomllib.loads(f"x = {key.default}")["x"]
            read = TypeAdapter(field.annotation).validate_python(told)  # pyright: ignore[reportArgumentType]
            assert read == field.get_default(call_default_factory=True), (model, key.name)
        assert key.needed == field.is_required()


def test_the_schema_knows_every_kind_of_source_and_refuses_unknown_keys():
    made = reference.schema("sources")
    kinds = {one["$ref"].rpartition("/")[2] for one in made["properties"]["source"]["items"]["oneOf"]}
    assert kinds == {"registry", "obds", "dicom", "table"}
    for kind in kinds:
        definition = made["$defs"][kind]
        assert definition["additionalProperties"] is False
        assert definition["properties"]["kind"]["const"] == kind
        assert all(p.get("description") for p in definition["properties"].values()), kind
    assert "header_row" in made["$defs"]["table"]["properties"]
    # Every reference leads somewhere.
    text = json.dumps(made)
    for name in set(text.split('"#/$defs/')[1:]):
        assert name.partition('"')[0] in made["$defs"]
