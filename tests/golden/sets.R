# The data sets of the golden values: R's own, and the demo cohort. Sourced by the other scripts.
# Every set has `time` (days; mgus2 months), `event`, `kind` (of the event; empty if censored) and covariates.
# `formulas` are the Cox models, `groups` the factors of the log-rank tests, `horizons` times.
suppressMessages(library(survival))
# A factor's first level is the reference: the first in ASCII, wherever the script runs.
invisible(Sys.setlocale("LC_COLLATE", "C"))

kind_of <- function(first, second, one, other) ifelse(first, one, ifelse(second, other, ""))

sets <- list()
sets$lung <- with(na.omit(lung[c("time", "status", "age", "sex", "ph.ecog", "ph.karno")]), data.frame(
  time, event = status == 2, kind = ifelse(status == 2, "death", ""),
  age, sex = ifelse(sex == 1, "male", "female"), ecog = paste0("ECOG", ph.ecog), karno = ph.karno))
sets$veteran <- with(veteran, data.frame(
  time, event = status == 1, kind = ifelse(status == 1, "death", ""),
  trt = paste0("trt", trt), celltype = as.character(celltype), karno, age))
sets$gbsg <- with(gbsg, data.frame(
  time = rfstime, event = status == 1, kind = ifelse(status == 1, "relapse", ""),
  age, meno = paste0("meno", meno), size, grade = paste0("grade", grade), nodes, hormon = paste0("hormon", hormon)))
sets$rotterdam <- with(rotterdam, {
  relapsed <- recur == 1 & rtime <= dtime
  time <- ifelse(relapsed, rtime, dtime)
  data.frame(
    time, event = relapsed | death == 1, kind = kind_of(relapsed, death == 1, "relapse", "death"),
    age, size = as.character(size), grade = paste0("grade", grade), nodes, hormon = paste0("hormon", hormon))
})
sets$colon <- {
  relapse <- colon[colon$etype == 1, ]
  death <- colon[colon$etype == 2, ]
  stopifnot(identical(relapse$id, death$id))
  d <- with(relapse, data.frame(
    time = ifelse(status == 1, time, death$time),
    event = status == 1 | death$status == 1,
    kind = kind_of(status == 1, death$status == 1, "relapse", "death"),
    rx = as.character(rx), sex = ifelse(sex == 1, "male", "female"), age,
    obstruct = paste0("obstruct", obstruct), nodes, differ = ifelse(is.na(differ), NA, paste0("differ", differ))))
  na.omit(d)
}
sets$mgus2 <- with(mgus2, {
  progressed <- pstat == 1
  na.omit(data.frame(
    time = ifelse(progressed, ptime, futime), event = progressed | death == 1,
    kind = kind_of(progressed, death == 1, "progression", "death"),
    age, sex = ifelse(sex == "M", "male", "female"), hgb, mspike))
})
cohort <- read.csv("data/demo/demo_cohort.csv", stringsAsFactors = FALSE)
relative <- function(date) as.numeric(as.Date(date) - as.Date(cohort$diagnosis_date))
demo <- function(endpoint, relapse, kind) {
  time <- cohort[[paste0(endpoint, "_days")]]
  event <- cohort[[paste0(endpoint, "_event")]] == "True"
  relapsed <- event & (relative(cohort[[relapse]]) == time) %in% TRUE
  data.frame(
    time, event, kind = kind_of(relapsed, event, kind, "death"),
    age = cohort$age_at_diagnosis, sex = cohort$sex, histology = cohort$histology_group, t_stage = cohort$t_stage,
    region = cohort$region,
    sequence = ifelse(cohort$radiation_sequence == "preoperative", "preoperative", "postoperative"))
}
sets$demo_os <- demo("os", "death_date", "death")
sets$demo_lrfs <- demo("lrfs", "local_relapse_date", "local relapse")
sets$demo_dmfs <- demo("dmfs", "distant_relapse_date", "distant relapse")

# A level that nobody with an event has, for Firth's penalty: the first patients who are censored.
eventless <- function(event, n) ifelse(!event & cumsum(!event) <= n, "yes", "no")
sets$lung$rare <- eventless(sets$lung$event, 6)
sets$veteran$rare <- eventless(sets$veteran$event, 3)
sets$gbsg$rare <- eventless(sets$gbsg$event, 20)
sets$demo_os$rare <- eventless(sets$demo_os$event, 12)

formulas <- list(
  lung = ~ age + sex + ecog + karno,
  veteran = ~ trt + celltype + karno + age,
  gbsg = ~ age + meno + size + grade + nodes + hormon,
  rotterdam = ~ age + size + grade + nodes + hormon,
  colon = ~ rx + sex + age + obstruct + nodes + differ,
  mgus2 = ~ age + sex + hgb + mspike,
  demo_os = ~ sex + age + histology,
  demo_lrfs = ~ sex + age + histology,
  demo_dmfs = ~ sex + age + histology + t_stage + region + sequence)
groups <- list(
  lung = c("sex", "ecog"), veteran = c("trt", "celltype"), gbsg = c("grade", "hormon"),
  rotterdam = c("size", "grade"), colon = c("rx", "differ"), mgus2 = "sex",
  demo_os = c("histology", "sequence"), demo_lrfs = c("histology", "sex"), demo_dmfs = c("histology", "t_stage"))
horizons <- list(
  lung = c(100, 365, 700), veteran = c(50, 200, 365), gbsg = c(365, 1000, 2000), rotterdam = c(365, 2000, 4000),
  colon = c(365, 1500, 2500), mgus2 = c(60, 120, 240), demo_os = c(365, 730, 1826), demo_lrfs = c(365, 730, 1826),
  demo_dmfs = c(365, 730, 1826))

# Delayed entry: at risk in (entry, time]. Heart transplant waiting times are intervals, age as the scale of time
# brings the patients of mgus in one by one, from 60 years on, and those of the demo are at risk from their
# radiotherapy on.
late <- list()
late$heart <- with(heart, data.frame(
  entry = start, time = stop, event = event == 1, kind = ifelse(event == 1, "death", ""),
  age, year, surgery = paste0("surgery", surgery), transplant = paste0("transplant", transplant)))
late$heart <- transform(late$heart, entry = 2 * entry, time = 2 * time)
late$mgus <- with(mgus, {
  progressed <- !is.na(pctime) & pctime <= futime
  d <- na.omit(data.frame(
    entry = pmax(round(365.25 * age), 21915), time = round(365.25 * age) + ifelse(progressed, pctime, futime),
    event = progressed | death == 1, kind = kind_of(progressed, death == 1, "progression", "death"),
    sex = as.character(sex), hgb, mspike))
  d[d$time > d$entry, ]
})
since_diagnosis <- function(endpoint, relapse, kind) {
  d <- data.frame(entry = pmax(relative(cohort$rt_start), 0), demo(endpoint, relapse, kind))
  d[d$time > d$entry, ]
}
late$late_demo_os <- since_diagnosis("os", "death_date", "death")
late$late_demo_dmfs <- since_diagnosis("dmfs", "distant_relapse_date", "distant relapse")
late_formulas <- list(
  heart = ~ age + year + surgery + transplant, mgus = ~ sex + hgb + mspike, late_demo_os = ~ sex + age + histology,
  late_demo_dmfs = ~ sex + age + histology + t_stage)
late_groups <- list(heart = "transplant", mgus = "sex", late_demo_os = "histology", late_demo_dmfs = "sex")

# The golden rows: one file per topic, 17 significant digits, empty where R says NA.
rows <- list()
put <- function(set, object, key, quantity, value)
  rows[[length(rows) + 1]] <<- data.frame(
    set = set, object = object, key = as.character(key), quantity = quantity,
    value = ifelse(is.na(value), "", sprintf("%.17g", value)))
save_golden <- function(topic) {
  write.csv(do.call(rbind, rows), file.path("tests/golden", paste0(topic, ".csv")), row.names = FALSE, quote = FALSE)
  cat(topic, ":", R.version.string, ", survival", as.character(packageVersion("survival")), "\n")
}
all_sets <- c(sets, late)
for (set in names(all_sets))
  write.csv(all_sets[[set]], file.path("tests/golden/data", paste0(set, ".csv")), row.names = FALSE, quote = FALSE, na = "")
