"""Files that change without a sign, and files that nobody delivered, do not pass in silence."""

import os

from tests.refreshed import Place

FOUND = "SELECT path, rule_id FROM quality.findings WHERE rule_id IN ({}) ORDER BY ALL"
RULES = "'file.replaced-unseen', 'file.left-behind', 'file.hidden'"


def _found(place: Place) -> list[tuple[str, str]]:
    return place.warehouse(FOUND.format(RULES)).rows()


def test_a_file_replaced_with_the_same_size_and_time_is_found(copy):
    file = copy.drop / "tables/sarkomtabelle.csv"
    before, content = file.stat(), file.read_bytes()
    assert b"2011" in content
    file.write_bytes(content.replace(b"2011", b"2012", 1))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    (copy.drop / "tables/.DS_Store").write_bytes(b"x")
    (copy.drop / ".half.xml").write_text("<oBDS>")
    told = copy.refresh()
    assert told.exit_code == 0 and "2 new, 0 changed" in told.output
    hidden = [(".half.xml", "file.hidden"), ("tables/.DS_Store", "file.left-behind")]
    assert _found(copy) == hidden
    told = copy.refresh("--verify")
    assert told.exit_code == 0 and "0 new, 1 changed" in told.output
    assert _found(copy) == [*hidden, ("tables/sarkomtabelle.csv", "file.replaced-unseen")]
    nights = copy.warehouse("SELECT verified FROM meta.refreshes ORDER BY refresh_id")["verified"]
    assert nights.to_list() == [True, False, True]
    copy.refresh()
    assert ("tables/sarkomtabelle.csv", "file.replaced-unseen") in _found(copy)
