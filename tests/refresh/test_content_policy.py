"""Every published page forbids a browser to load or run anything but what the page itself brings."""

import re

POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]+)">')


def test_every_page_has_a_policy_before_anything_it_governs(demo):
    pages = sorted((demo.root / "data/published").rglob("*.html"))
    assert {page.name for page in pages} >= {"steward.html", "index.html"}
    for page in pages:
        text = page.read_text("utf-8")
        policy = POLICY.search(text)
        assert policy, page.name
        assert "default-src 'none'" in policy[1], page.name
        governed = re.search(r"<(?:style|script|link|img|svg|body)\b", text)
        assert governed and policy.start() < governed.start(), page.name
        if "script-src" not in policy[1]:
            assert not re.search(r"<script|\son\w+\s*=|javascript:", text), page.name
        else:
            assert "'unsafe-inline'" not in policy[1].split("script-src")[1], page.name
