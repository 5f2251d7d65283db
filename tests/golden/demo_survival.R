# Golden values of Kaplan-Meier and Cox for the demo cohort, from R's survival package.
# Run from the project root:  Rscript tests/golden/demo_survival.R
# Writes tests/golden/demo_survival.csv: object, endpoint, key, quantity, value (17 significant digits).
suppressMessages(library(survival))

cohort <- read.csv("data/demo/demo_cohort.csv", stringsAsFactors = FALSE)
month <- 30.4375
cohort$histology <- factor(cohort$histology_group, levels = c(
  "UPS", "liposarcoma", "myxofibrosarcoma", "synovial sarcoma", "others"))
cohort$sex <- factor(cohort$sex, levels = c("male", "female"))
cohort$age <- cohort$age_at_diagnosis
cohort$t <- factor(cohort$t_stage, levels = c("T2", "T1"))
cohort$region <- factor(cohort$region, levels = c("extremities", "trunk"))
cohort$sequence <- factor(ifelse(cohort$radiation_sequence == "preoperative", "preoperative", "postoperative"),
                          levels = c("postoperative", "preoperative"))

rows <- list()
put <- function(object, endpoint, key, quantity, value) {
  rows[[length(rows) + 1]] <<- data.frame(
    object = object, endpoint = endpoint, key = key, quantity = quantity,
    value = ifelse(is.na(value), "", sprintf("%.17g", value)))
}
quartiles <- function(object, endpoint, fit) {
  q <- quantile(fit, probs = c(0.25, 0.5, 0.75))
  for (p in c("25", "50", "75")) for (part in c("quantile", "lower", "upper"))
    put(object, endpoint, p, part, q[[part]][[p]])
}

models <- list(
  OS = ~ sex + age + histology,
  DFS = ~ sex + age + t + histology + region + sequence,
  LRFS = ~ sex + age + histology,
  DMFS = ~ sex + age + histology)

for (endpoint in c("OS", "DFS", "DMFS", "LRFS")) {
  time <- cohort[[paste0(tolower(endpoint), "_days")]] / month
  event <- cohort[[paste0(tolower(endpoint), "_event")]] == "True"
  cohort$surv <- Surv(time, event)
  fit <- survfit(surv ~ 1, data = cohort, conf.type = "log-log")
  for (i in seq_along(fit$time)) {
    key <- formatC(fit$time[i] * month, digits = 0, format = "f")
    put("curve", endpoint, key, "at_risk", fit$n.risk[i])
    put("curve", endpoint, key, "events", fit$n.event[i])
    put("curve", endpoint, key, "censored", fit$n.censor[i])
    put("curve", endpoint, key, "survival", fit$surv[i])
    put("curve", endpoint, key, "ci_low", fit$lower[i])
    put("curve", endpoint, key, "ci_high", fit$upper[i])
  }
  at <- summary(fit, times = c(12, 24, 36, 60))
  for (i in seq_along(at$time)) {
    put("horizon", endpoint, at$time[i], "at_risk", at$n.risk[i])
    put("horizon", endpoint, at$time[i], "survival", at$surv[i])
    put("horizon", endpoint, at$time[i], "ci_low", at$lower[i])
    put("horizon", endpoint, at$time[i], "ci_high", at$upper[i])
  }
  quartiles("quantile", endpoint, fit)
  quartiles("reverse", endpoint, survfit(Surv(time, !event) ~ 1, conf.type = "log-log"))

  cox <- coxph(update(models[[endpoint]], surv ~ .), data = cohort, ties = "efron",
               control = coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 100))
  table <- summary(cox)
  for (term in names(coef(cox))) {
    put("cox", endpoint, term, "coefficient", coef(cox)[[term]])
    put("cox", endpoint, term, "standard_error", sqrt(vcov(cox)[term, term]))
    put("cox", endpoint, term, "p_value", table$coefficients[term, "Pr(>|z|)"])
    put("cox", endpoint, term, "ci_low", table$conf.int[term, "lower .95"])
    put("cox", endpoint, term, "ci_high", table$conf.int[term, "upper .95"])
  }
  put("cox", endpoint, "model", "concordance", table$concordance[["C"]])
  put("cox", endpoint, "model", "log_likelihood", cox$loglik[2])
}
put("follow-up", "OS", "50", "quantile", quantile(cohort$os_days / month, 0.5, type = 7))
put("follow-up", "OS", "25", "quantile", quantile(cohort$os_days / month, 0.25, type = 7))
put("follow-up", "OS", "75", "quantile", quantile(cohort$os_days / month, 0.75, type = 7))

# A small sample with an exact S(t) = 0.5 plateau, ties and a last event: what R does at the edges.
edge <- data.frame(days = c(100, 200, 200, 300, 400, 500, 600, 600), event = c(1, 1, 0, 1, 0, 1, 1, 1))
plateau <- data.frame(days = c(100, 200, 300, 400), event = c(1, 1, 1, 0))
# A curve that ends on 0.5, and one with an event on the day of diagnosis.
open <- data.frame(days = c(100, 200, 300, 400), event = c(1, 1, 0, 0))
zero <- data.frame(days = c(0, 0, 200, 300), event = c(1, 0, 1, 0))
for (name in c("edge", "plateau", "open", "zero")) {
  d <- get(name)
  fit <- survfit(Surv(days / month, event) ~ 1, data = d, conf.type = "log-log")
  for (i in seq_along(fit$time)) {
    key <- formatC(fit$time[i] * month, digits = 0, format = "f")
    put(name, "", key, "survival", fit$surv[i])
    put(name, "", key, "ci_low", fit$lower[i])
    put(name, "", key, "ci_high", fit$upper[i])
  }
  quartiles(paste0(name, "-quantile"), "", fit)
}
write.csv(do.call(rbind, rows), "tests/golden/demo_survival.csv", row.names = FALSE, quote = FALSE)
cat(R.version.string, " survival ", as.character(packageVersion("survival")), "\n")
