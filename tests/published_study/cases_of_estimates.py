"""Cases of the audit's rules on tests, estimates and survival; numbers by pencil, or by R where said."""

from tests.published_study.paper_rows import (
    DEATHS,
    IN_TABLE,
    RELAPSES,
    Case,
    count_row,
    group_rows,
    median_row,
    model_row,
    rate_row,
    ratio_row,
    spread_row,
)

ESTIMATES: list[Case] = [
    # R: fisher.test(matrix(c(53, 9, 15, 9), 2, byrow = T)) 0.03550; chisq.test: 0.01877, corrected 0.03992.
    ("test.table", "none of the tests", group_rows("53/62", "15/24", p="0.2"), "contradiction"),
    ("test.table", "Fisher", group_rows("53/62", "15/24", p="0.036"), "consistent"),
    ("test.table", "Pearson", group_rows("53/62", "15/24", p="0.02"), "consistent"),
    ("test.table", "Yates", group_rows("53/62", "15/24", p="0.040"), "consistent"),
    (
        "test.table",
        "Pearson's p called Fisher's",
        group_rows("53/62", "15/24", p="0.019", method="Fisher"),
        "contradiction",
    ),
    ("test.table", "not significant", group_rows("53/62", "15/24", p="n.s."), "contradiction"),
    # R: chisq.test(matrix(c(10, 20, 15, 15, 20, 10), 3, byrow = TRUE)) 0.03567.
    ("test.table", "three groups", group_rows("10/30", "15/30", "20/30", p="0.036"), "consistent"),
    ("test.table", "nobody", group_rows("0/30", "0/30", p="1.0"), "not computable"),
    ("test.table", "no p", group_rows("53/62", "15/24", p="–"), None),
    # R: 2 * pnorm(-abs(log(0.735)) / (log(7.360 / 0.073) / (2 * qnorm(0.975)))) = 0.7936.
    ("wald.p", "0.9646", [ratio_row("0.735", "0.073", "7.360", "0.9646")], "contradiction"),
    ("wald.p", "0.7936", [ratio_row("0.735", "0.073", "7.360", "0.7936")], "consistent"),
    ("wald.p", "decimal commas", [ratio_row("0,735", "0,073", "7,360", "0,7936")], "consistent"),
    ("wald.p", "not below 0.001", [ratio_row("0.735", "0.073", "7.360", "<0.001")], "contradiction"),
    # R: z of 0.50 (0.40; 0.63) is 5.98, p = 2e-9.
    ("wald.p", "below 0.001", [ratio_row("0.50", "0.40", "0.63", "p < 0.001")], "consistent"),
    ("wald.p", "0.000", [ratio_row("0.50", "0.40", "0.63", "0.000")], "consistent"),
    ("wald.p", "not significant", [ratio_row("0.50", "0.40", "0.63", "n.s.")], "contradiction"),
    ("wald.p", "another test", [ratio_row("0.735", "0.073", "7.360", "0.9646", method="log-rank")], None),
    ("wald.p", "no limit", [ratio_row("0.735", "0.073", "NE", "0.9646")], None),
    # Symmetric limits of 0.0005 to 0.0015 with 9.9 give z from 1.45 to 1.51, p from 0.13 to 0.15.
    ("wald.p", "the lower limit is rounded to 0", [ratio_row("0.001", "0.000", "9.9", "0.1")], "consistent"),
    (
        "wald.p",
        "the lower limit is rounded to 0, and p is 0.5",
        [ratio_row("0.001", "0.000", "9.9", "0.5")],
        "contradiction",
    ),
    ("wald.symmetry", "0.700", [ratio_row("0.700", "0.359", "5.424")], "contradiction"),
    ("wald.symmetry", "1.396", [ratio_row("1.396", "0.359", "5.424")], "consistent"),
    ("wald.symmetry", "one decimal", [ratio_row("1.4", "0.4", "5.4")], "consistent"),
    ("wald.symmetry", "NR", [ratio_row("1.4", "0.4", "NR")], None),
    ("wald.computable", "NE", [ratio_row("1.4", "0.4", "NE")], "not computable"),
    ("wald.computable", "a limit of 0", [ratio_row("0.001", "0.000", "9.9")], "not computable"),
    ("wald.computable", "both", [ratio_row("1.396", "0.359", "5.424")], None),
    ("wald.computable", "no interval", [ratio_row("1.396", "", "")], None),
    ("p.zero", "0.000", [ratio_row("0.50", "0.40", "0.63", "0.000")], "wording"),
    ("p.zero", "< 0.001", [ratio_row("0.50", "0.40", "0.63", "<0.001")], None),
    ("p.zero", "0.001", [ratio_row("0.50", "0.40", "0.63", "0.001")], None),
    ("estimate.same", "48 and 44", [median_row("48"), median_row("44")], "contradiction"),
    ("estimate.same", "48 and 49", [median_row("48"), median_row("49")], "contradiction"),
    ("estimate.same", "48.5 and 48", [median_row("48.5"), median_row("48")], "consistent"),
    ("estimate.same", "not reached and 48", [median_row("NR"), median_row("48")], "contradiction"),
    ("estimate.same", "not reached twice", [median_row("NR"), median_row("not reached")], "consistent"),
    ("estimate.same", "nothing", [median_row("48"), median_row("–")], None),
    (
        "estimate.borrowed",
        "another table's row",
        [
            ratio_row("0.432", "0.140", "1.332", **IN_TABLE),
            ratio_row("0.460", "0.217", "0.973", **{**IN_TABLE, "model": "DFS"}),
            ratio_row("0.460", "0.217", "0.973", **{**IN_TABLE, "section": "Results"}),
        ],
        "contradiction",
    ),
    (
        "estimate.borrowed",
        "only the value is quoted",
        [
            ratio_row("0.432", "0.140", "1.332", **IN_TABLE),
            ratio_row("0.460", "0.217", "0.973", **{**IN_TABLE, "model": "DFS"}),
            ratio_row("0.460", "", "", **{**IN_TABLE, "section": "Results"}),
        ],
        "contradiction",
    ),
    (
        "estimate.borrowed",
        "two covariates with the same numbers",
        [
            ratio_row("1.00", "0.99", "1.01", **IN_TABLE),
            ratio_row("1.00", "0.99", "1.01", **{**IN_TABLE, "term": "age"}),
        ],
        None,
    ),
    (
        "estimate.borrowed",
        "its own row",
        [
            ratio_row("0.432", "0.140", "1.332", **IN_TABLE),
            ratio_row("0.43", "0.14", "1.33", **{**IN_TABLE, "section": "Results"}),
        ],
        None,
    ),
    # 4 / (ln(1.387 / 0.336) / 3.92)² = 30.6 events.
    (
        "events.least",
        "20 events",
        [{"statistic": "events", "endpoint": "OS", "n": "20"}, model_row("OS", "0.336", "1.387", "0.682")],
        "contradiction",
    ),
    (
        "events.least",
        "31 events",
        [{"statistic": "events", "endpoint": "OS", "n": "31"}, model_row("OS", "0.336", "1.387", "0.682")],
        "consistent",
    ),
    ("events.least", "not printed", [model_row("OS", "0.336", "1.387", "0.682")], None),
    (
        "events.nested-error",
        "larger with more events",
        [model_row("DMFS", "0.336", "1.387", "0.682"), model_row("DFS", "0.217", "0.973", "0.460")],
        "tension",
    ),
    (
        "events.nested-error",
        "smaller with more events",
        [model_row("OS", "0.140", "1.332", "0.432"), model_row("DFS", "0.217", "0.973", "0.460")],
        "consistent",
    ),
    ("events.nested-error", "one model", [model_row("OS", "0.140", "1.332", "0.432")], None),
    # (0.5747 / 0.3617)² · 18 = 45.4 events of at least 35 and at most 53; with equal errors 18.
    (
        "events.error-ratio",
        "as few events as deaths",
        [
            DEATHS,
            *RELAPSES,
            model_row("OS", "0.140", "1.332", "0.432"),
            model_row("DMFS", "0.140", "1.332", "0.432"),
        ],
        "tension",
    ),
    (
        "events.error-ratio",
        "45 events",
        [
            DEATHS,
            *RELAPSES,
            model_row("OS", "0.140", "1.332", "0.432"),
            model_row("DMFS", "0.336", "1.387", "0.682"),
        ],
        "consistent",
    ),
    (
        "events.error-ratio",
        "no deaths printed",
        [model_row("OS", "0.140", "1.332", "0.432"), model_row("DMFS", "0.336", "1.387", "0.682")],
        None,
    ),
    # SE² of 1.571 (0.522; 4.730) is 0.316; less 1/15 it is 1/4.0: 15 + 4.0 of at least 35 events.
    (
        "events.by-level",
        "19 of 35 events",
        [
            DEATHS,
            *RELAPSES,
            count_row("h=UPS", "27"),
            count_row("h=lipo", "22"),
            {**count_row("h=UPS", "15"), "of": "relapse_pattern=distant only|local and distant"},
            model_row("DMFS", "0.522", "4.730", "1.571", "h", "lipo"),
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
            count_row("h=UPS", "27"),
            count_row("h=lipo", "59"),
            {**count_row("h=UPS", "15"), "of": "relapse_pattern=distant only|local and distant"},
            model_row("DMFS", "0.73", "2.63", "1.386", "h", "lipo"),
        ],
        "consistent",
    ),
    (
        "events.by-level",
        "no reference",
        [DEATHS, *RELAPSES, model_row("DMFS", "0.522", "4.730", "1.571", "h", "lipo")],
        None,
    ),
    (
        "ratio.crude",
        "the other direction",
        [
            DEATHS,
            *RELAPSES,
            count_row("h=UPS", "27"),
            count_row("h=lipo", "22"),
            *(
                {**count_row(f"h={v}", n), "of": "relapse_pattern=distant only|local and distant"}
                for v, n in (("UPS", "15"), ("lipo", "4"))
            ),
            model_row("DMFS", "0.522", "4.730", "1.571", "h", "lipo"),
        ],
        "tension",
    ),
    (
        "ratio.crude",
        "the same direction",
        [
            DEATHS,
            *RELAPSES,
            count_row("h=UPS", "27"),
            count_row("h=lipo", "22"),
            *(
                {**count_row(f"h={v}", n), "of": "relapse_pattern=distant only|local and distant"}
                for v, n in (("UPS", "15"), ("lipo", "4"))
            ),
            model_row("DMFS", "0.110", "1.000", "0.332", "h", "lipo"),
        ],
        "consistent",
    ),
    ("ratio.crude", "no counts", [model_row("DMFS", "0.522", "4.730", "1.571", "h", "lipo")], None),
    (
        "events.per-parameter",
        "9 for one",
        [{"statistic": "events", "endpoint": "OS", "n": "9"}, model_row("OS", "0.140", "1.332", "0.432")],
        "by definition",
    ),
    (
        "events.per-parameter",
        "10 for one",
        [{"statistic": "events", "endpoint": "OS", "n": "10"}, model_row("OS", "0.140", "1.332", "0.432")],
        "consistent",
    ),
    ("events.per-parameter", "not printed", [model_row("OS", "0.140", "1.332", "0.432")], None),
    # Log-log, by pencil: S^exp(±1.96 · 0.336) of 0.878 is 0.778 and 0.935.
    ("survival.interval", "log-log", [rate_row("87.8", "77.8", "93.5")], "consistent"),
    ("survival.interval", "plain", [rate_row("87.8", "80.3", "95.3")], "consistent"),
    ("survival.interval", "plain, cut at 100", [rate_row("97.0", "92.0", "100")], "consistent"),
    ("survival.interval", "one decimal of 100", [rate_row("97.0", "92.0", "100.0")], "consistent"),
    ("survival.interval", "on no scale", [rate_row("87.8", "86.0", "97.5")], "tension"),
    ("survival.interval", "100 %", [rate_row("100", "100", "100")], "not computable"),
    ("survival.interval", "0 %", [rate_row("0", "0", "10")], "not computable"),
    ("survival.interval", "NE", [rate_row("87.8", "77.8", "NE")], "not computable"),
    ("survival.interval", "no interval", [rate_row("87.8")], None),
    # Plain: SE 0.0102 at 0.878 is that of 0.107 / 0.0102² = 1030 patients.
    (
        "survival.patients",
        "narrower than all patients",
        [count_row("", "86"), rate_row("87.8", "85.8", "89.8")],
        "contradiction",
    ),
    ("survival.patients", "as wide", [count_row("", "86"), rate_row("87.8", "77.8", "93.5")], "consistent"),
    # One death of 26 without censoring: 25/26, log-log limits 75.7 and 99.4 %; 96.2 alone would need 26.3.
    (
        "survival.patients",
        "as many, by a rounded rate",
        [count_row("", "26"), rate_row("96.2", "75.7", "99.4")],
        "consistent",
    ),
    # Four deaths of 5 without censoring: plain limits of -15 %, cut at 0, and 55 %.
    (
        "survival.patients",
        "as many, with a limit cut at 0",
        [count_row("", "5"), rate_row("20", "0", "55")],
        "consistent",
    ),
    ("survival.patients", "no interval", [count_row("", "86"), rate_row("87.8")], None),
    # |ln 0.878| / (SE / S) = 0.1301 / 0.0437 = 2.98, squared 8.9 events.
    (
        "survival.events",
        "5 events",
        [{"statistic": "events", "endpoint": "OS", "n": "5"}, rate_row("87.8", "77.8", "93.5")],
        "contradiction",
    ),
    (
        "survival.events",
        "18 events",
        [{"statistic": "events", "endpoint": "OS", "n": "18"}, rate_row("87.8", "77.8", "93.5")],
        "consistent",
    ),
    # Two deaths of 34 without censoring: 94.1 % with log limits 86.5 and 102 %, cut at 100.
    (
        "survival.events",
        "as many, by a rounded rate",
        [{"statistic": "events", "endpoint": "OS", "n": "2"}, rate_row("94", "87", "100")],
        "consistent",
    ),
    ("survival.events", "not printed", [rate_row("87.8", "77.8", "93.5")], None),
    (
        "survival.order",
        "rises",
        [rate_row("80", horizon="24"), rate_row("85", horizon="60")],
        "contradiction",
    ),
    ("survival.order", "falls", [rate_row("80", horizon="24"), rate_row("75", horizon="60")], "consistent"),
    ("survival.order", "DFS above OS", [rate_row("80"), rate_row("85", endpoint="DFS")], "contradiction"),
    ("survival.order", "one rate", [rate_row("80")], None),
    ("survival.medians", "DFS after OS", [median_row("40"), median_row("48", "DFS")], "contradiction"),
    ("survival.medians", "OS not reached", [median_row("NR"), median_row("48", "DFS")], "consistent"),
    (
        "survival.medians",
        "DFS not reached but OS",
        [median_row("40"), median_row("NR", "DFS")],
        "contradiction",
    ),
    ("survival.medians", "NE", [median_row("NE"), median_row("48", "DFS")], None),
    ("survival.median-rate", "80 % after the median", [median_row("12"), rate_row("80")], "contradiction"),
    ("survival.median-rate", "40 % before it", [median_row("48"), rate_row("40")], "contradiction"),
    ("survival.median-rate", "not reached and 40 %", [median_row("NR"), rate_row("40")], "contradiction"),
    ("survival.median-rate", "80 % before it", [median_row("48"), rate_row("80")], "consistent"),
    ("survival.median-rate", "another endpoint", [median_row("12", "DFS"), rate_row("80")], None),
    (
        "follow-up.reach",
        "beyond the longest",
        [spread_row("range", "33", "1", "90", "follow_up"), median_row("91")],
        "contradiction",
    ),
    (
        "follow-up.reach",
        "within",
        [spread_row("range", "33", "1", "90", "follow_up"), median_row("89")],
        "consistent",
    ),
    (
        "follow-up.reach",
        "a rate beyond",
        [spread_row("range", "33", "1", "50", "follow_up"), rate_row("80", horizon="60")],
        "contradiction",
    ),
    (
        "follow-up.reach",
        "beyond the quartile",
        [spread_row("quartiles", "33", "19", "61", "follow_up"), median_row("70")],
        "tension",
    ),
    # 7.5 years are 90 months; a median printed as 8 years may be one of 7.5.
    (
        "follow-up.reach",
        "follow-up in years, beyond",
        [spread_row("range", "3", "1", "7", "follow_up", unit="years"), median_row("91")],
        "contradiction",
    ),
    (
        "follow-up.reach",
        "follow-up in years, within",
        [
            spread_row("range", "3", "1", "7.5", "follow_up", unit="years"),
            {**median_row("8"), "unit": "years"},
            rate_row("80", horizon="7 years"),
        ],
        "consistent",
    ),
    (
        "follow-up.reach",
        "a follow-up of others",
        [spread_row("range", "33", "1", "50", "follow_up", of="alive=yes"), median_row("60")],
        None,
    ),
    (
        "follow-up.reach",
        "not reached",
        [spread_row("range", "33", "1", "90", "follow_up"), median_row("NR")],
        None,
    ),
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
