# Gray's test by cmprsk, and the cumulative incidence of each group with its variance.
# Run from the project root:  Rscript tests/golden/gray.R
source("tests/golden/sets.R")
suppressMessages(library(cmprsk))
of <- list(
  rotterdam = c("size", "hormon"), colon = c("rx", "sex", "differ"), mgus2 = "sex",
  demo_lrfs = c("sequence", "histology"), demo_dmfs = c("sequence", "region"))
for (set in names(of)) for (group in of[[set]]) {
  d <- sets[[set]]
  fit <- cuminc(d$time, d$kind, d[[group]], cencode = "")
  for (kind in rownames(fit$Tests))
    put(set, group, kind, c("statistic", "degrees", "p_value"), fit$Tests[kind, c("stat", "df", "pv")])
  at <- timepoints(fit, horizons[[set]])$est
  for (curve in rownames(at)) put(set, paste(group, "incidence"), curve, paste0("at", seq_along(horizons[[set]])), at[curve, ])
  put(set, paste(group, "incidence"), "times", paste0("at", seq_along(horizons[[set]])), horizons[[set]])
}
save_golden("gray")
