"""Rows that break a rule of the audit, and rows that do not; numbers by pencil, or by R where it says so."""

Row = dict[str, str]


def _count(where: str, n: str, of: str = "", pct: str = "", **more: str) -> Row:
    return {"statistic": "count", "where": where, "n": n, "denominator": of, "pct": pct, **more}


def _ratio(value: str, low: str, high: str, p: str = "", **more: str) -> Row:
    return {"statistic": "hazard ratio", "value": value, "ci_low": low, "ci_high": high, "p": p, **more}


def _rate(value: str, low: str = "", high: str = "", horizon: str = "24", endpoint: str = "OS") -> Row:
    return {"statistic": "survival", "endpoint": endpoint, "horizon": horizon, "value": value, "ci_low": low,
            "ci_high": high, "unit": "%"}  # fmt: skip


def _median(value: str, endpoint: str = "OS", low: str = "", high: str = "") -> Row:
    return {
        "statistic": "median",
        "endpoint": endpoint,
        "value": value,
        "ci_low": low,
        "ci_high": high,
        "unit": "months",
    }


def _spread(
    kind: str, value: str, low: str, high: str, column: str = "dose", of: str = "", **more: str
) -> Row:
    return {
        "statistic": kind,
        "column": column,
        "of": of,
        "value": value,
        "ci_low": low,
        "ci_high": high,
        **more,
    }


def _groups(*cells: str, p: str, method: str = "") -> list[Row]:
    rows = []
    for cell, group in zip(cells, "abcd", strict=False):
        n, _, of = cell.partition("/")
        rows.append({**_count("event=yes", n, of, comparison="x"), "of": f"group={group}"})
    return [*rows[:-1], {**rows[-1], "p": p, "method": method}]


ALL = _count("", "100", section="Table 1")
IN_TABLE = {"section": "Table 2", "model": "OS", "term": "sex", "level": "female"}
DEATHS = _count("os_event=true", "18", "86")
RELAPSES = [_count("relapse_pattern=distant only|local and distant", "35", "86"),
            _count("relapse_pattern=local and distant|local only", "12", "86")]  # fmt: skip


def _model(model: str, low: str, high: str, value: str, term: str = "sex", level: str = "female") -> Row:
    return _ratio(value, low, high, section="Table 2", model=model, term=term, level=level)


Case = tuple[str, str, list[Row], str | None]

CASES: list[Case] = [
    ("value.readable", "a word", [_count("", "many")], "not computable"),
    ("value.readable", "a number", [_count("", "86")], None),
    ("value.readable", "nothing", [_count("", "–")], None),
    ("value.readable", "NR is a word for a number", [_median("NR")], None),
    ("value.possible", "a rate above 100", [_rate("98.0", "95.0", "101.0")], "contradiction"),
    ("value.possible", "a rate of 100", [_rate("100", "100", "100")], None),
    ("value.possible", "more than all", [_count("a=b", "90", "86")], "contradiction"),
    ("value.possible", "half a patient", [_count("a=b", "2.5", "86")], "contradiction"),
    ("value.possible", "p above 1", [_ratio("1.00", "0.50", "2.00", "1.02")], "contradiction"),
    ("value.possible", "a percentage of 110", [_count("a=b", "", "86", "110")], "contradiction"),
    ("value.possible", "a negative ratio", [_ratio("-0.5", "0.2", "0.9")], "contradiction"),
    ("value.possible", "a year of five digits", [{"value": "20110", "unit": "year"}], "contradiction"),
    ("value.possible", "an age of 570", [{"value": "570", "unit": "years"}], "contradiction"),
    ("value.possible", "no number", [_rate("NE")], None),
    ("value.plausible", "560 Gy", [{"value": "560", "unit": "Gy"}], "tension"),
    (
        "value.plausible",
        "a margin of 40 cm",
        [{"quantity": "CTV margin", "value": "40", "unit": "cm"}],
        "tension",
    ),
    ("value.plausible", "a tumour of 40 cm", [{"quantity": "size", "value": "40", "unit": "cm"}], None),
    ("value.plausible", "56 Gy", [{"value": "56", "unit": "Gy"}], None),
    ("value.plausible", "nothing", [{"value": "", "unit": "Gy"}], None),
    ("value.plausible", "60 MV", [{"value": "60", "unit": "MV"}], "tension"),
    ("value.within-limits", "above", [_ratio("1.4", "0.2", "1.3")], "contradiction"),
    ("value.within-limits", "inside", [_ratio("0.9", "0.2", "1.3")], "consistent"),
    ("value.within-limits", "limits in reverse", [{"ci_low": "4", "ci_high": "1"}], "contradiction"),
    (
        "value.within-limits",
        "an upper limit that is not reached",
        [_median("48", "OS", "31", "NR")],
        "consistent",
    ),
    ("value.within-limits", "not estimable", [_median("NE", "OS", "", "NE")], None),
    ("value.within-limits", "equal", [_spread("quartiles", "50", "50", "50")], "consistent"),
    (
        "range.contains",
        "a quartile outside",
        [_spread("range", "50", "42", "56"), _spread("quartiles", "50", "50", "60")],
        "contradiction",
    ),
    (
        "range.contains",
        "quartiles inside",
        [_spread("range", "50", "42", "56"), _spread("quartiles", "50", "49", "52")],
        "consistent",
    ),
    (
        "range.contains",
        "two medians",
        [_spread("range", "50", "42", "56"), _spread("quartiles", "52", "49", "53")],
        "contradiction",
    ),
    (
        "range.contains",
        "a maximum of a subgroup",
        [_spread("range", "50", "42", "56"), _spread("maximum", "57", "", "", of="boost=yes")],
        "contradiction",
    ),
    (
        "range.contains",
        "a range of a subgroup may be wider by no means",
        [_spread("range", "50", "42", "56"), _spread("range", "50", "40", "56", of="a=b")],
        "contradiction",
    ),
    (
        "range.contains",
        "another variable",
        [_spread("range", "50", "42", "56"), _spread("quartiles", "5", "4", "6", "size")],
        None,
    ),
    (
        "range.contains",
        "without limits",
        [_spread("range", "50", "NE", ""), _spread("quartiles", "50", "1", "99")],
        "consistent",
    ),
    (
        "period.order",
        "ends first",
        [{"quantity": "accrual start", "value": "2020"}, {"quantity": "accrual end", "value": "2011"}],
        "contradiction",
    ),
    (
        "period.order",
        "starts first",
        [{"quantity": "accrual start", "value": "2011"}, {"quantity": "accrual end", "value": "2020"}],
        "consistent",
    ),
    ("period.order", "no end", [{"quantity": "accrual start", "value": "2011"}], None),
    ("percent.of-count", "27 of 86 are 31.4", [_count("h=UPS", "27", "86", "32")], "contradiction"),
    ("percent.of-count", "31", [_count("h=UPS", "27", "86", "31")], "consistent"),
    ("percent.of-count", "31.4", [_count("h=UPS", "27", "86", "31.4")], "consistent"),
    ("percent.of-count", "31.5", [_count("h=UPS", "27", "86", "31.5")], "contradiction"),
    ("percent.of-count", "a tie up", [_count("h=UPS", "1", "8", "13")], "consistent"),
    ("percent.of-count", "a tie down", [_count("h=UPS", "1", "8", "12")], "consistent"),
    ("percent.of-count", "below 1", [_count("h=UPS", "1", "250", "<1")], "consistent"),
    ("percent.of-count", "not below 1", [_count("h=UPS", "5", "250", "<1")], "contradiction"),
    ("percent.of-count", "100 %", [_count("h=UPS", "86", "86", "100 %")], "consistent"),
    ("percent.of-count", "no percentage", [_count("h=UPS", "27", "86", "–")], None),
    # 3/9 = 33.3, 4/9 = 44.4: nothing between.
    ("percent.granular", "40 % of nine", [_count("a=b", "", "9", "40")], "contradiction"),
    ("percent.granular", "44 % of nine", [_count("a=b", "", "9", "44")], "consistent"),
    ("percent.granular", "no denominator", [_count("a=b", "", "", "40")], None),
    (
        "percent.block",
        "one point too many",
        [
            _count("g=a", "27", "86", "32", section="Table 1", quantity="g"),
            _count("g=b", "59", "86", "69", section="Table 1", quantity="g"),
        ],
        "contradiction",
    ),
    (
        "percent.block",
        "100",
        [
            _count("g=a", "27", "86", "31", section="Table 1", quantity="g"),
            _count("g=b", "59", "86", "69", section="Table 1", quantity="g"),
        ],
        "consistent",
    ),
    (
        "percent.block",
        "99 by rounding",
        [_count(f"g={v}", "1", "3", "33", section="Table 1", quantity="g") for v in "abc"],
        "consistent",
    ),
    ("percent.block", "a bound", [_count("g=a", "1", "250", "<1", section="Table 1", quantity="g")], None),
    (
        "count.same",
        "27 and 28",
        [_count("h=UPS", "27", section="Table 1"), _count("h=UPS", "28")],
        "contradiction",
    ),
    (
        "count.same",
        "27 twice",
        [_count("h=UPS", "27", section="Table 1"), _count("h=UPS", "27")],
        "consistent",
    ),
    ("count.same", "once", [_count("h=UPS", "27")], None),
    (
        "count.denominator",
        "15 of 41 relapsed, who are 35",
        [_count("relapse=yes", "35"), {**_count("h=UPS", "15", "41"), "of": "relapse=yes"}],
        "contradiction",
    ),
    (
        "count.denominator",
        "15 of 35",
        [_count("relapse=yes", "35"), {**_count("h=UPS", "15", "35"), "of": "relapse=yes"}],
        "consistent",
    ),
    ("count.denominator", "more than all", [ALL, _count("h=UPS", "15", "101")], "contradiction"),
    (
        "count.denominator",
        "one level of a variable differs",
        [ALL, _count("s=a", "40", "100"), _count("s=b", "60", "99")],
        "contradiction",
    ),
    (
        "count.denominator",
        "missing values, and the levels add up",
        [ALL, _count("s=a", "40", "95"), _count("s=b", "55", "95")],
        "consistent",
    ),
    ("count.denominator", "fewer without a word", [ALL, _count("s=a", "40", "95")], "tension"),
    (
        "count.denominator",
        "of a dose",
        [ALL, _spread("range", "50", "42", "56", denominator="101")],
        "contradiction",
    ),
    ("count.denominator", "none", [ALL, _count("s=a", "40")], None),
    (
        "count.sum",
        "101 of 100",
        [ALL, *(_count(w, n, section="Table 1") for w, n in (("s=a", "40"), ("s=b", "61")))],
        "contradiction",
    ),
    (
        "count.sum",
        "100 of 100",
        [ALL, *(_count(w, n, section="Table 1") for w, n in (("s=a", "40"), ("s=b", "60")))],
        "consistent",
    ),
    (
        "count.sum",
        "fewer than all",
        [ALL, *(_count(w, n, section="Table 1") for w, n in (("s=a", "40"), ("s=b", "55")))],
        "tension",
    ),
    (
        "count.sum",
        "a printed union",
        [_count("s=a", "19"), _count("s=b", "5"), _count("s=a|b", "25")],
        "contradiction",
    ),
    ("count.sum", "one level", [ALL, _count("s=a", "40", section="Table 1")], None),
    (
        "count.enumeration",
        "2 + 2 of 3",
        [_count("end=death", "2", "3", parts="x"), _count("end=lost", "2", "3", parts="x")],
        "contradiction",
    ),
    (
        "count.enumeration",
        "2 + 1 of 3",
        [_count("end=death", "2", "3", parts="x"), _count("end=lost", "1", "3", parts="x")],
        "consistent",
    ),
    (
        "count.enumeration",
        "2 + 1 of 4",
        [_count("end=death", "2", "4", parts="x"), _count("end=lost", "1", "4", parts="x")],
        "contradiction",
    ),
    (
        "count.enumeration",
        "two denominators",
        [_count("end=death", "2", "3", parts="x"), _count("end=lost", "1", "4", parts="x")],
        "contradiction",
    ),
    (
        "count.enumeration",
        "no count",
        [_count("end=death", "", "3", parts="x"), _count("end=lost", "1", "3", parts="x")],
        "not computable",
    ),
    (
        "count.enumeration",
        "2 + 2 of 3 in a cell",
        [{"statistic": "count", "n": "2 + 2 of 3"}],
        "contradiction",
    ),
    ("count.enumeration", "2+1/3 in a cell", [{"statistic": "count", "n": "2+1/3"}], "consistent"),
    ("count.enumeration", "2 + 1 of 4 in a cell", [_count("end=x", "2 + 1", "4")], "tension"),
    ("count.enumeration", "a sum without a whole", [_count("end=x", "2 + 1")], None),
    (
        "count.subset",
        "more than its group",
        [_count("h=UPS", "27"), {**_count("d=yes", "28"), "of": "h=UPS"}],
        "contradiction",
    ),
    ("count.subset", "not more", [_count("h=UPS", "27"), {**_count("d=yes", "27"), "of": "h=UPS"}], None),
    # 62 + 68 of 86 share at least 44.
    (
        "count.subset",
        "fewer than two groups share",
        [
            _count("", "86"),
            _count("seq=pre", "62"),
            _count("t=T2", "68"),
            {**_count("t=T2", "43"), "of": "seq=pre"},
        ],
        "contradiction",
    ),
    (
        "count.subset",
        "as many as two groups share",
        [
            _count("", "86"),
            _count("seq=pre", "62"),
            _count("t=T2", "68"),
            {**_count("t=T2", "44"), "of": "seq=pre"},
        ],
        None,
    ),
    (
        "count.same-as",
        "9 and 5",
        [_count("a=b", "5"), _count("c=d", "9", same_as="1: the same")],
        "contradiction",
    ),
    ("count.same-as", "5 and 5", [_count("a=b", "5"), _count("c=d", "5", same_as="1")], "consistent"),
    ("count.same-as", "a row that is not there", [_count("c=d", "5", same_as="7")], None),
    (
        "count.levels",
        "three of two",
        [_count("g=G1", "6"), _count("g=G2", "37"), {"statistic": "levels", "column": "g", "n": "3"}],
        "contradiction",
    ),
    (
        "count.levels",
        "two of two",
        [_count("g=G1", "6"), _count("g=G2", "37"), {"statistic": "levels", "column": "g", "n": "2"}],
        "consistent",
    ),
    ("count.levels", "none printed", [{"statistic": "levels", "column": "g", "n": "3"}], None),
    (
        "count.levels",
        "three covariates of one",
        [_ratio("0.9", "0.2", "1.3", **IN_TABLE), {"statistic": "terms", "model": "OS", "n": "3"}],
        "contradiction",
    ),
    # R: fisher.test(matrix(c(53, 9, 15, 9), 2, byrow = T)) 0.03550; chisq.test: 0.01877, corrected 0.03992.
    ("test.table", "none of the tests", _groups("53/62", "15/24", p="0.2"), "contradiction"),
    ("test.table", "Fisher", _groups("53/62", "15/24", p="0.036"), "consistent"),
    ("test.table", "Pearson", _groups("53/62", "15/24", p="0.02"), "consistent"),
    ("test.table", "Yates", _groups("53/62", "15/24", p="0.040"), "consistent"),
    (
        "test.table",
        "Pearson's p called Fisher's",
        _groups("53/62", "15/24", p="0.019", method="Fisher"),
        "contradiction",
    ),
    ("test.table", "not significant", _groups("53/62", "15/24", p="n.s."), "contradiction"),
    # R: chisq.test(matrix(c(10, 20, 15, 15, 20, 10), 3, byrow = TRUE)) 0.03567.
    ("test.table", "three groups", _groups("10/30", "15/30", "20/30", p="0.036"), "consistent"),
    ("test.table", "nobody", _groups("0/30", "0/30", p="1.0"), "not computable"),
    ("test.table", "no p", _groups("53/62", "15/24", p="–"), None),
    # R: 2 * pnorm(-abs(log(0.735)) / (log(7.360 / 0.073) / (2 * qnorm(0.975)))) = 0.7936.
    ("wald.p", "0.9646", [_ratio("0.735", "0.073", "7.360", "0.9646")], "contradiction"),
    ("wald.p", "0.7936", [_ratio("0.735", "0.073", "7.360", "0.7936")], "consistent"),
    ("wald.p", "decimal commas", [_ratio("0,735", "0,073", "7,360", "0,7936")], "consistent"),
    ("wald.p", "not below 0.001", [_ratio("0.735", "0.073", "7.360", "<0.001")], "contradiction"),
    # R: z of 0.50 (0.40; 0.63) is 5.98, p = 2e-9.
    ("wald.p", "below 0.001", [_ratio("0.50", "0.40", "0.63", "p < 0.001")], "consistent"),
    ("wald.p", "0.000", [_ratio("0.50", "0.40", "0.63", "0.000")], "consistent"),
    ("wald.p", "not significant", [_ratio("0.50", "0.40", "0.63", "n.s.")], "contradiction"),
    ("wald.p", "another test", [_ratio("0.735", "0.073", "7.360", "0.9646", method="log-rank")], None),
    ("wald.p", "no limit", [_ratio("0.735", "0.073", "NE", "0.9646")], None),
    # Symmetric limits of 0.0005 to 0.0015 with 9.9 give z from 1.45 to 1.51, p from 0.13 to 0.15.
    ("wald.p", "the lower limit is rounded to 0", [_ratio("0.001", "0.000", "9.9", "0.1")], "consistent"),
    (
        "wald.p",
        "the lower limit is rounded to 0, and p is 0.5",
        [_ratio("0.001", "0.000", "9.9", "0.5")],
        "contradiction",
    ),
    ("wald.symmetry", "0.700", [_ratio("0.700", "0.359", "5.424")], "contradiction"),
    ("wald.symmetry", "1.396", [_ratio("1.396", "0.359", "5.424")], "consistent"),
    ("wald.symmetry", "one decimal", [_ratio("1.4", "0.4", "5.4")], "consistent"),
    ("wald.symmetry", "NR", [_ratio("1.4", "0.4", "NR")], None),
    ("wald.computable", "NE", [_ratio("1.4", "0.4", "NE")], "not computable"),
    ("wald.computable", "a limit of 0", [_ratio("0.001", "0.000", "9.9")], "not computable"),
    ("wald.computable", "both", [_ratio("1.396", "0.359", "5.424")], None),
    ("wald.computable", "no interval", [_ratio("1.396", "", "")], None),
    ("p.zero", "0.000", [_ratio("0.50", "0.40", "0.63", "0.000")], "wording"),
    ("p.zero", "< 0.001", [_ratio("0.50", "0.40", "0.63", "<0.001")], None),
    ("p.zero", "0.001", [_ratio("0.50", "0.40", "0.63", "0.001")], None),
    ("estimate.same", "48 and 44", [_median("48"), _median("44")], "contradiction"),
    ("estimate.same", "48 and 49", [_median("48"), _median("49")], "contradiction"),
    ("estimate.same", "48.5 and 48", [_median("48.5"), _median("48")], "consistent"),
    ("estimate.same", "not reached and 48", [_median("NR"), _median("48")], "contradiction"),
    ("estimate.same", "not reached twice", [_median("NR"), _median("not reached")], "consistent"),
    ("estimate.same", "nothing", [_median("48"), _median("–")], None),
    (
        "estimate.borrowed",
        "another table's row",
        [
            _ratio("0.432", "0.140", "1.332", **IN_TABLE),
            _ratio("0.460", "0.217", "0.973", **{**IN_TABLE, "model": "DFS"}),
            _ratio("0.460", "0.217", "0.973", **{**IN_TABLE, "section": "Results"}),
        ],
        "contradiction",
    ),
    (
        "estimate.borrowed",
        "only the value is quoted",
        [
            _ratio("0.432", "0.140", "1.332", **IN_TABLE),
            _ratio("0.460", "0.217", "0.973", **{**IN_TABLE, "model": "DFS"}),
            _ratio("0.460", "", "", **{**IN_TABLE, "section": "Results"}),
        ],
        "contradiction",
    ),
    (
        "estimate.borrowed",
        "two covariates with the same numbers",
        [
            _ratio("1.00", "0.99", "1.01", **IN_TABLE),
            _ratio("1.00", "0.99", "1.01", **{**IN_TABLE, "term": "age"}),
        ],
        None,
    ),
    (
        "estimate.borrowed",
        "its own row",
        [
            _ratio("0.432", "0.140", "1.332", **IN_TABLE),
            _ratio("0.43", "0.14", "1.33", **{**IN_TABLE, "section": "Results"}),
        ],
        None,
    ),
    # 4 / (ln(1.387 / 0.336) / 3.92)² = 30.6 events.
    (
        "events.least",
        "20 events",
        [{"statistic": "events", "endpoint": "OS", "n": "20"}, _model("OS", "0.336", "1.387", "0.682")],
        "contradiction",
    ),
    (
        "events.least",
        "31 events",
        [{"statistic": "events", "endpoint": "OS", "n": "31"}, _model("OS", "0.336", "1.387", "0.682")],
        "consistent",
    ),
    ("events.least", "not printed", [_model("OS", "0.336", "1.387", "0.682")], None),
    (
        "events.nested-error",
        "larger with more events",
        [_model("DMFS", "0.336", "1.387", "0.682"), _model("DFS", "0.217", "0.973", "0.460")],
        "tension",
    ),
    (
        "events.nested-error",
        "smaller with more events",
        [_model("OS", "0.140", "1.332", "0.432"), _model("DFS", "0.217", "0.973", "0.460")],
        "consistent",
    ),
    ("events.nested-error", "one model", [_model("OS", "0.140", "1.332", "0.432")], None),
    # (0.5747 / 0.3617)² · 18 = 45.4 events of at least 35 and at most 53; with equal errors 18.
    (
        "events.error-ratio",
        "as few events as deaths",
        [
            DEATHS,
            *RELAPSES,
            _model("OS", "0.140", "1.332", "0.432"),
            _model("DMFS", "0.140", "1.332", "0.432"),
        ],
        "tension",
    ),
    (
        "events.error-ratio",
        "45 events",
        [
            DEATHS,
            *RELAPSES,
            _model("OS", "0.140", "1.332", "0.432"),
            _model("DMFS", "0.336", "1.387", "0.682"),
        ],
        "consistent",
    ),
    (
        "events.error-ratio",
        "no deaths printed",
        [_model("OS", "0.140", "1.332", "0.432"), _model("DMFS", "0.336", "1.387", "0.682")],
        None,
    ),
    # SE² of 1.571 (0.522; 4.730) is 0.316; less 1/15 it is 1/4.0: 15 + 4.0 of at least 35 events.
    (
        "events.by-level",
        "19 of 35 events",
        [
            DEATHS,
            *RELAPSES,
            _count("h=UPS", "27"),
            _count("h=lipo", "22"),
            {**_count("h=UPS", "15"), "of": "relapse_pattern=distant only|local and distant"},
            _model("DMFS", "0.522", "4.730", "1.571", "h", "lipo"),
        ],
        "tension",
    ),
    # SE of 1.386 (0.73; 2.63) is 0.327, SE² less 1/15 is 1/24.8: 15 + 24.8 events, of 35 to 53.
    (
        "events.by-level",
        "40 events",
        [
            DEATHS,
            *RELAPSES,
            _count("h=UPS", "27"),
            _count("h=lipo", "59"),
            {**_count("h=UPS", "15"), "of": "relapse_pattern=distant only|local and distant"},
            _model("DMFS", "0.73", "2.63", "1.386", "h", "lipo"),
        ],
        "consistent",
    ),
    (
        "events.by-level",
        "no reference",
        [DEATHS, *RELAPSES, _model("DMFS", "0.522", "4.730", "1.571", "h", "lipo")],
        None,
    ),
    (
        "ratio.crude",
        "the other direction",
        [
            DEATHS,
            *RELAPSES,
            _count("h=UPS", "27"),
            _count("h=lipo", "22"),
            *(
                {**_count(f"h={v}", n), "of": "relapse_pattern=distant only|local and distant"}
                for v, n in (("UPS", "15"), ("lipo", "4"))
            ),
            _model("DMFS", "0.522", "4.730", "1.571", "h", "lipo"),
        ],
        "tension",
    ),
    (
        "ratio.crude",
        "the same direction",
        [
            DEATHS,
            *RELAPSES,
            _count("h=UPS", "27"),
            _count("h=lipo", "22"),
            *(
                {**_count(f"h={v}", n), "of": "relapse_pattern=distant only|local and distant"}
                for v, n in (("UPS", "15"), ("lipo", "4"))
            ),
            _model("DMFS", "0.110", "1.000", "0.332", "h", "lipo"),
        ],
        "consistent",
    ),
    ("ratio.crude", "no counts", [_model("DMFS", "0.522", "4.730", "1.571", "h", "lipo")], None),
    (
        "events.per-parameter",
        "9 for one",
        [{"statistic": "events", "endpoint": "OS", "n": "9"}, _model("OS", "0.140", "1.332", "0.432")],
        "by definition",
    ),
    (
        "events.per-parameter",
        "10 for one",
        [{"statistic": "events", "endpoint": "OS", "n": "10"}, _model("OS", "0.140", "1.332", "0.432")],
        "consistent",
    ),
    ("events.per-parameter", "not printed", [_model("OS", "0.140", "1.332", "0.432")], None),
    # Log-log, by pencil: S^exp(±1.96 · 0.336) of 0.878 is 0.778 and 0.935.
    ("survival.interval", "log-log", [_rate("87.8", "77.8", "93.5")], "consistent"),
    ("survival.interval", "plain", [_rate("87.8", "80.3", "95.3")], "consistent"),
    ("survival.interval", "plain, cut at 100", [_rate("97.0", "92.0", "100")], "consistent"),
    ("survival.interval", "one decimal of 100", [_rate("97.0", "92.0", "100.0")], "consistent"),
    ("survival.interval", "on no scale", [_rate("87.8", "86.0", "97.5")], "tension"),
    ("survival.interval", "100 %", [_rate("100", "100", "100")], "not computable"),
    ("survival.interval", "0 %", [_rate("0", "0", "10")], "not computable"),
    ("survival.interval", "NE", [_rate("87.8", "77.8", "NE")], "not computable"),
    ("survival.interval", "no interval", [_rate("87.8")], None),
    # Plain: SE 0.0102 at 0.878 is that of 0.107 / 0.0102² = 1030 patients.
    (
        "survival.patients",
        "narrower than all patients",
        [_count("", "86"), _rate("87.8", "85.8", "89.8")],
        "contradiction",
    ),
    ("survival.patients", "as wide", [_count("", "86"), _rate("87.8", "77.8", "93.5")], "consistent"),
    ("survival.patients", "no interval", [_count("", "86"), _rate("87.8")], None),
    # |ln 0.878| / (SE / S) = 0.1301 / 0.0437 = 2.98, squared 8.9 events.
    (
        "survival.events",
        "5 events",
        [{"statistic": "events", "endpoint": "OS", "n": "5"}, _rate("87.8", "77.8", "93.5")],
        "contradiction",
    ),
    (
        "survival.events",
        "18 events",
        [{"statistic": "events", "endpoint": "OS", "n": "18"}, _rate("87.8", "77.8", "93.5")],
        "consistent",
    ),
    ("survival.events", "not printed", [_rate("87.8", "77.8", "93.5")], None),
    ("survival.order", "rises", [_rate("80", horizon="24"), _rate("85", horizon="60")], "contradiction"),
    ("survival.order", "falls", [_rate("80", horizon="24"), _rate("75", horizon="60")], "consistent"),
    ("survival.order", "DFS above OS", [_rate("80"), _rate("85", endpoint="DFS")], "contradiction"),
    ("survival.order", "one rate", [_rate("80")], None),
    ("survival.medians", "DFS after OS", [_median("40"), _median("48", "DFS")], "contradiction"),
    ("survival.medians", "OS not reached", [_median("NR"), _median("48", "DFS")], "consistent"),
    ("survival.medians", "DFS not reached but OS", [_median("40"), _median("NR", "DFS")], "contradiction"),
    ("survival.medians", "NE", [_median("NE"), _median("48", "DFS")], None),
    ("survival.median-rate", "80 % after the median", [_median("12"), _rate("80")], "contradiction"),
    ("survival.median-rate", "40 % before it", [_median("48"), _rate("40")], "contradiction"),
    ("survival.median-rate", "not reached and 40 %", [_median("NR"), _rate("40")], "contradiction"),
    ("survival.median-rate", "80 % before it", [_median("48"), _rate("80")], "consistent"),
    ("survival.median-rate", "another endpoint", [_median("12", "DFS"), _rate("80")], None),
    (
        "follow-up.reach",
        "beyond the longest",
        [_spread("range", "33", "1", "90", "follow_up"), _median("91")],
        "contradiction",
    ),
    (
        "follow-up.reach",
        "within",
        [_spread("range", "33", "1", "90", "follow_up"), _median("89")],
        "consistent",
    ),
    (
        "follow-up.reach",
        "a rate beyond",
        [_spread("range", "33", "1", "50", "follow_up"), _rate("80", horizon="60")],
        "contradiction",
    ),
    (
        "follow-up.reach",
        "beyond the quartile",
        [_spread("quartiles", "33", "19", "61", "follow_up"), _median("70")],
        "tension",
    ),
    # 7.5 years are 90 months; a median printed as 8 years may be one of 7.5.
    (
        "follow-up.reach",
        "follow-up in years, beyond",
        [_spread("range", "3", "1", "7", "follow_up", unit="years"), _median("91")],
        "contradiction",
    ),
    (
        "follow-up.reach",
        "follow-up in years, within",
        [
            _spread("range", "3", "1", "7.5", "follow_up", unit="years"),
            {**_median("8"), "unit": "years"},
            _rate("80", horizon="7 years"),
        ],
        "consistent",
    ),
    (
        "follow-up.reach",
        "a follow-up of others",
        [_spread("range", "33", "1", "50", "follow_up", of="alive=yes"), _median("60")],
        None,
    ),
    ("follow-up.reach", "not reached", [_spread("range", "33", "1", "90", "follow_up"), _median("NR")], None),
    (
        "citation.listed",
        "42 of 37",
        [{"statistic": "references", "n": "37"}, {"statistic": "citation", "quote": "As shown [1–37, 42]."}],
        "contradiction",
    ),
    (
        "citation.listed",
        "37 of 37",
        [{"statistic": "references", "n": "37"}, {"statistic": "citation", "quote": "As shown [1–37]."}],
        "consistent",
    ),
    (
        "citation.listed",
        "one never cited",
        [{"statistic": "citation", "quote": "As shown [1, 3]."}],
        "tension",
    ),
    ("citation.listed", "no list and no gap", [{"statistic": "citation", "quote": "As shown [1–3]."}], None),
]
"""Rule, name of the case, its rows, and the verdict: None is no check at all."""
