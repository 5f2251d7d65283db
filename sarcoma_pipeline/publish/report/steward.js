"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  // The English texts are the keys of their translations; a page in English has none.
  const _ = (text, values = {}) => (data.texts[text] || text).replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
  const CHUNK = 200;
  const RANK = { error: 0, warning: 1, notice: 2 };
  const SETTLED = new Set(["waived", "resolved"]);
  const DEFAULTS = { view: "list", q: "", news: "", severity: "", status: "todo", source: "", category: "", rule: "", file: "", patient: "", sort: "", dir: "" };
  const NEWS = new Set(data.news);
  const NOT_LINKED = "-";
  const VIEWS = {
    rule: { field: "rule_id", filter: "rule", title: _("Rule") },
    file: { field: "path", filter: "file", title: _("File") },
    patient: { field: "pseudonym", filter: "patient", title: _("Patient") },
  };

  // Columns arrive as distinct values and an index per row, because thousands of rows share the same texts.
  const names = Object.keys(data.findings);
  const height = names.length ? data.findings[names[0]].index.length : 0;
  const findings = Array.from({ length: height }, (_, i) => {
    const row = {};
    for (const name of names) row[name] = data.findings[name].values[data.findings[name].index[i]];
    row.pseudonym = row.pseudonym ?? NOT_LINKED;
    row.source = row.source ?? NOT_LINKED;
    row.text = names.map((n) => row[n] ?? "").join("\n").toLowerCase();
    return row;
  });

  const form = document.querySelector("form");
  const results = document.getElementById("results");
  const more = document.getElementById("more");
  const quality = document.getElementById("quality");
  const count = document.getElementById("count");
  let state = { ...DEFAULTS };
  let shown = CHUNK;
  let open = new Set();
  let target = null;

  function make(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "class") made.className = value;
      else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else made.setAttribute(name, value);
    }
    made.append(...children.filter((c) => c !== null && c !== undefined));
    return made;
  }

  // The URL holds the state, so that views can be shared and the back button works.
  function read() {
    const linked = location.hash.match(/^#finding-(.+)$/);
    if (linked) {
      const begin = findings.filter((f) => f.finding_id.startsWith(linked[1]));
      const wanted = findings.find((f) => f.finding_id === linked[1]) || (begin.length === 1 && linked[1].length >= 4 ? begin[0] : undefined);
      if (wanted) linked[1] = wanted.finding_id;
      state = { ...state, view: "list" };
      if (wanted && !selected().includes(wanted)) state = { ...DEFAULTS, status: "" };
      open.add(linked[1]);
      return linked[1];
    }
    const given = new URLSearchParams(location.hash.slice(1));
    state = { ...DEFAULTS };
    for (const name of Object.keys(DEFAULTS)) if (given.has(name)) state[name] = given.get(name);
    if (state.view !== "list" && state.view !== "quality" && !VIEWS[state.view]) state.view = "list";
    return null;
  }

  function address(changes) {
    const given = new URLSearchParams();
    const next = { ...state, ...changes };
    for (const [name, value] of Object.entries(next)) {
      if (name === "view" || value !== DEFAULTS[name]) given.set(name, value);
    }
    return `#${given}`;
  }

  function go(changes) {
    const next = address(changes);
    if (next === location.hash) render();
    else location.replace(next);
  }

  function selected() {
    const words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
    return findings.filter(
      (f) =>
        (!state.news || NEWS.has(f.news_in)) &&
        (!state.severity || f.severity === state.severity) &&
        (!state.status || (state.status === "todo" ? !SETTLED.has(f.status) : f.status === state.status)) &&
        (!state.source || f.source === state.source) &&
        (!state.category || f.category === state.category) &&
        (!state.rule || f.rule_id === state.rule) &&
        (!state.file || f.path === state.file) &&
        (!state.patient || f.pseudonym === state.patient) &&
        words.every((word) => f.text.includes(word)),
    );
  }

  function sorted(rows, value, sign) {
    const keyed = rows.map((row, place) => [value(row), place, row]);
    keyed.sort(([a, i], [b, j]) => {
      if (a === b) return i - j;
      if (a === null || a === undefined || a === "") return 1;
      if (b === null || b === undefined || b === "") return -1;
      const order = typeof a === "number" ? a - b : a.localeCompare(b, document.documentElement.lang, { numeric: true });
      return order ? sign * order : i - j;
    });
    return keyed.map(([, , row]) => row);
  }

  function header(columns, initial) {
    const by = state.sort || initial;
    return make("thead", {}, make("tr", {}, ...columns.map((column) => {
      const descending = by === column.id && (state.dir || column.first || "asc") === "desc";
      const sort = by !== column.id ? "none" : descending ? "descending" : "ascending";
      const turn = () => go({
        sort: column.id,
        dir: by === column.id ? (descending ? "asc" : "desc") : column.first || "asc",
      });
      return make("th", { scope: "col", "aria-sort": sort, class: column.class || "" },
        make("button", { type: "button", "data-sort": column.id, onclick: turn }, column.title));
    })));
  }

  const severity = (name) => make("span", { class: `severity ${name}` }, _(name));
  const patient = (name) => (name === NOT_LINKED ? _("not linked") : name);

  const COLUMNS = [
    { id: "severity", title: _("Severity"), width: "s", value: (f) => RANK[f.severity] },
    { id: "rule", title: _("Rule"), width: "", value: (f) => f.rule_id },
    { id: "patient", title: _("Patient"), width: "m", value: (f) => (f.pseudonym === NOT_LINKED ? "" : f.pseudonym) },
    { id: "file", title: _("File"), width: "l", value: (f) => `${f.path}\n${f.position}` },
    { id: "value", title: _("Value"), width: "m", value: (f) => f.value },
    { id: "status", title: _("Status"), width: "s", value: (f) => f.status },
    { id: "seen", title: _("Since"), width: "s", value: (f) => f.first_seen },
  ].filter((c) => c.id !== "seen" || findings.some((f) => f.first_seen));

  const date = (iso) => (document.documentElement.lang === "de" ? String(iso).replace(/^(\d{4})-(\d\d)-(\d\d)$/, "$3.$2.$1") : iso);
  const day = (refresh) => date(data.days[refresh] || "");

  function rowOf(finding) {
    const id = finding.finding_id;
    const isOpen = open.has(id);
    const button = make("button", {
      type: "button", class: "opens", id: `finding-${id}`, "aria-expanded": String(isOpen), "aria-controls": `detail-${id}`,
    }, finding.what);
    const filled = (label, ...content) => make("td", content[0] ? { "data-label": label } : { class: "none" }, ...content);
    const row = make("tr", { class: isOpen ? "row open" : "row" },
      make("td", {}, severity(finding.severity)),
      make("td", {}, button, make("small", {}, finding.rule_id)),
      filled(_("Patient"), patient(finding.pseudonym)),
      make("td", {}, make("span", { class: "long" }, finding.path), make("small", { class: "long" }, finding.position)),
      filled(_("Value"), finding.value && make("span", { class: "long" }, finding.value)),
      filled(_("Status"), _(finding.status)),
      finding.first_seen ? filled(_("Since"), make("span", { class: "day" }, day(finding.first_seen))) : null,
    );
    button.addEventListener("click", () => {
      const opens = !open.has(id);
      if (opens) open.add(id); else open.delete(id);
      button.setAttribute("aria-expanded", String(opens));
      row.classList.toggle("open", opens);
      if (opens) row.after(detail(finding)); else row.nextElementSibling.remove();
    });
    return isOpen ? [row, detail(finding)] : [row];
  }

  // A long name breaks after a dot or an underscore, not anywhere.
  const breakable = (text) => String(text ?? "").split(/(?<=[._])/).flatMap((part) => [part, make("wbr")]);

  // Two or three records stand side by side: a column for each, a row for each value.
  function pair(rows) {
    const records = [], columns = [], said = new Map();
    for (const row of rows) {
      const [, source, who, path, position, table, column] = row;
      const record = JSON.stringify([source, who, path, position]), place = [table, column].filter(Boolean).join(".");
      if (!records.some((r) => r.record === record)) records.push({ record, row, why: new Set() });
      records.find((r) => r.record === record).why.add(JSON.stringify([row[0], row[8]]));
      if (place && !columns.includes(place)) columns.push(place);
      const cell = JSON.stringify([record, place]);
      said.set(cell, [...(said.get(cell) || []), row]);
    }
    const shared = columns.some((c) => records.filter((r) => said.has(JSON.stringify([r.record, c]))).length > 1);
    if (records.length < 2 || records.length > 3 || !shared) return null;
    const name = ([, source, who, path, position]) => [`${path}, ${position}`, make("small", {}, [source, who && _("patient {pseudonym}", { pseudonym: who })].filter(Boolean).join(", "))];
    const judged = ([role, , , , , , , , why]) => [make("strong", {}, role), make("small", {}, " ", ...breakable(why))];
    return make("table", { class: "pair" },
      make("caption", {}, _("Records that are compared")),
      make("thead", {}, make("tr", {}, make("td", {}), ...records.map(({ row, why }) => make("th", { scope: "col" },
        ...name(row), row[9] ? make("small", {}, _("this finding's record")) : null,
        why.size === 1 ? make("div", {}, ...judged(row)) : null)))),
      make("tbody", {}, ...columns.map((column) => make("tr", {}, make("th", { scope: "row" }, ...breakable(column)),
        ...records.map(({ record, row, why }) => {
          const values = said.get(JSON.stringify([record, column])) || [];
          return make("td", { "data-label": row[1] || row[3], class: values.length ? "" : "none" }, ...values.map((one) =>
            make("div", {}, one[7] ?? _("no value"), ...(why.size === 1 ? [] : [make("div", {}, ...judged(one))]))));
        })))));
  }

  // Both sides of a contradiction: what each record says, and whose value is used.
  function sides(id) {
    const rows = data.records[id];
    if (!rows) return null;
    const two = pair(rows);
    if (two) return two;
    const heads = [_("Role"), _("Record"), _("Column"), _("Value"), _("Why")];
    return make("table", { class: "sides" },
      make("caption", {}, _("Records that are compared")),
      make("thead", {}, make("tr", {}, ...heads.map((h) => make("th", { scope: "col" }, h)))),
      make("tbody", {}, ...rows.map(([role, source, who, path, position, table, column, value, why, own], i) =>
        make("tr", { class: i && rows[i - 1].slice(1, 5).every((v, k) => v === rows[i][k + 1]) ? "same" : "" },
          make("td", { "data-label": heads[0] }, make("strong", {}, role), own ? make("small", {}, ` ${_("this finding's record")}`) : null),
          make("td", { "data-label": heads[1] }, `${path}, ${position}`, make("small", {}, ` ${[source, who && _("patient {pseudonym}", { pseudonym: who })].filter(Boolean).join(", ")}`)),
          make("td", { "data-label": heads[2] }, ...breakable([table, column].filter(Boolean).join("."))),
          make("td", { "data-label": heads[3] }, value ?? ""),
          make("td", { "data-label": heads[4] }, ...breakable(why))))));
  }

  // The launchpad opens with this config: the finding's id, and what only the steward knows is left empty.
  const LABELS = { acknowledge: _("Acknowledge"), waive: _("Waive"), reopen: _("Reopen") };
  const label = (action) => (action.startsWith("decide ") ? _("Choose reading {reading}", { reading: action.slice(7) }) : LABELS[action]);
  function launch(id, action) {
    const [kind, reading] = action.split(" ");
    const config = [
      "ops:", "  record_decisions:", "    config:", `      action: ${kind}`, `      finding_ids: [${JSON.stringify(id)}]`,
      ...(reading ? [`      reading: ${reading}`] : []),
      ...(kind === "waive" ? [`      until: # ${_("last day: 2030-12-31")}`] : []),
      `      by: # ${_("your name")}`, `      reason: # ${_("why; no names of patients and no birth dates")}`, "",
    ].join("\n");
    return make("a", { href: `${data.launchpad}?config=${encodeURIComponent(config)}`, target: "_blank", rel: "noopener", "data-action": action }, label(action));
  }
  function given(action) {
    const [kind, reading] = action.split(" ");
    return [kind, reading ? ` --reading ${reading}` : kind === "waive" ? " --until YYYY-MM-DD" : ""];
  }

  function detail(finding) {
    const id = finding.finding_id;
    const can = data.actions[id] || (SETTLED.has(finding.status) ? [] : ["acknowledge", "waive"]);
    const rule = data.rules[finding.rule_id] || {};
    const readings = Object.entries(data.readings[id] || {});
    const place = [finding.table_name, finding.column_name].filter(Boolean).join(".");
    const you = _("YOU"), why = _("WHY");
    const command = (action, more = "") => make("code", {},
      `sarcoma findings ${action} ${id} --study ${data.study} --by "${you}" --reason "${why}"${more}`);
    const decided = [finding.who, finding.reason, finding.until && _("until {day}", { day: date(finding.until) })].filter(Boolean).join(", ");
    const facts = [
      [_("What is wrong"), finding.what],
      [_("What to do"), finding.remedy],
      [_("If waived"), finding.impact],
      ...readings.map(([reading, told]) => [_("Reading {reading}", { reading }), told]),
      [_("Where"), `${finding.path}, ${finding.position}`],
      [_("Column"), place],
      [_("Value"), readings.length && /^1: /.test(finding.value ?? "") ? "" : finding.value],
      [_("In this record"), finding.note],
      [_("Patient"), patient(finding.pseudonym)],
      [_("Why it is a rule"), rule.source],
      [_("Seen"), finding.first_seen && _("{first} to {last} (refresh {refresh})", { first: day(finding.first_seen), last: day(finding.last_seen), refresh: finding.last_seen })],
      [_("Assigned to"), [finding.assignee, finding.due && _("due {day}", { day: date(finding.due) })].filter(Boolean).join(", ")],
      [_("Sender's answer"), finding.answer],
      [_("Decision"), decided],
      ...(data.launchpad && can.length ? [[_("Decide in Dagster"), make("span", { class: "decide" }, ...can.map((action) => launch(id, action)))]] : []),
      ...can.map((action) => [label(action), command(...given(action))]),
      [_("Link"), make("a", { href: `#finding-${id}` }, id)],
    ];
    return make("tr", { class: "detail", id: `detail-${id}` }, make("td", { colspan: COLUMNS.length },
      make("dl", {}, ...facts.filter(([, v]) => v).flatMap(([k, v]) => [make("dt", {}, k), make("dd", {}, v)])), sides(id)));
  }

  function list(rows) {
    const column = COLUMNS.find((c) => c.id === state.sort) || COLUMNS[0];
    const ordered = sorted(rows, column.value, state.dir === "desc" ? -1 : 1);
    const body = make("tbody");
    let done = 0;
    const extend = (upto) => {
      body.append(...ordered.slice(done, upto).flatMap(rowOf));
      done = Math.min(upto, ordered.length);
      more.hidden = done >= ordered.length;
      more.textContent = _("Show {number} more of {rest}", { number: Math.min(CHUNK, ordered.length - done), rest: ordered.length - done });
    };
    more.onclick = () => {
      const first = done;
      shown = done + CHUNK;
      extend(shown);
      body.querySelectorAll("tr.row")[first].querySelector("button").focus();
    };
    const linked = ordered.findIndex((f) => f.finding_id === target);
    extend(Math.max(shown, linked + 1));
    return make("table", { class: "list" },
      make("colgroup", {}, ...COLUMNS.map((c) => make("col", { class: c.width }))),
      header(COLUMNS, "severity"), body);
  }

  function grouped(rows) {
    const view = VIEWS[state.view];
    const found = new Map();
    for (const f of rows) {
      const key = f[view.field];
      if (!found.has(key)) found.set(key, { key, error: 0, warning: 0, notice: 0, total: 0 });
      const group = found.get(key);
      group[f.severity] += 1;
      group.total += 1;
    }
    // Rules that nothing breaks are listed, too, unless a filter asks for something else.
    const unfiltered = ["q", "news", "severity", "source", "category", "file", "patient"].every((name) => !state[name]);
    if (state.view === "rule" && unfiltered) {
      for (const key of Object.keys(data.results)) {
        if (!found.has(key) && (!state.rule || state.rule === key)) found.set(key, { key, error: 0, warning: 0, notice: 0, total: 0 });
      }
    }
    const facts = { file: data.files, rule: data.results }[state.view] || {};
    for (const group of found.values()) Object.assign(group, facts[group.key] || {});
    const number = (id, title, spare) => ({ id, title, first: "desc", class: `number${spare ? " spare" : ""}` });
    const columns = [
      { id: "key", title: view.title },
      number("error", _("Errors")), number("warning", _("Warnings")), number("notice", _("Notices")), number("total", _("All")),
      ...(state.view === "rule" && Object.keys(data.results).length
        ? [number("judged", _("Judged"), true), number("broken", _("Broken"), true), number("percent", "%", true),
          ...(Object.values(data.results).some((r) => r.max_percent !== null) ? [number("max_percent", _("At most %"), true)] : []), number("waived", _("Waived"), true)] : []),
      ...(state.view === "file" ? [number("records", _("Records read"), true), number("quarantined", _("Quarantined"), true)] : []),
    ];
    const column = columns.find((c) => c.id === state.sort) || columns[4];
    const sign = (state.dir || column.first || "asc") === "desc" ? -1 : 1;
    const amount = (g) => (column.id === "percent" ? (g.percent ? parseFloat(g.percent.replace("< ", "0").replace(",", ".")) : "") : g[column.id]);
    return { view, columns, ordered: sorted([...found.values()], amount, sign) };
  }

  function groups(rows) {
    const { view, columns, ordered } = grouped(rows);
    more.hidden = true;
    return make("table", { class: "groups" }, header(columns, "total"), make("tbody", {}, ...ordered.map((g) =>
      make("tr", { class: g.above ? "above" : "" },
        make("td", {},
          make("a", { href: address({ view: "list", [view.filter]: g.key, sort: "", dir: "" }) },
            state.view === "patient" ? patient(g.key) : g.key),
          state.view === "rule" ? make("br") : null,
          state.view === "rule" ? make("small", {}, (data.rules[g.key] || {}).what || "") : null,
          g.above ? make("strong", { class: "over" }, _("More than the threshold allows")) : null),
        ...columns.slice(1).map((c) => {
          const told = String(g[c.id] ?? "");
          return make("td", told ? { class: c.class, "data-label": c.title } : { class: c.class }, told);
        })))));
  }

  function fill(select, options) {
    select.replaceChildren(...options.map(([value, label]) => make("option", { value }, label)));
  }

  function render() {
    for (const name of ["q", "news", "severity", "status", "source", "category", "rule", "file", "patient"]) {
      if (form.elements[name].value !== state[name]) form.elements[name].value = state[name];
    }
    for (const link of document.querySelectorAll("nav a")) {
      const current = link.dataset.view === state.view;
      link.href = address({ view: link.dataset.view, sort: "", dir: "" });
      if (current) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
    }
    // The matrix and its charts stand in the page, where they are read without a script, too.
    const listed = state.view !== "quality";
    quality.hidden = listed;
    for (const part of [form, results, count.parentElement]) part.hidden = !listed;
    if (!listed) {
      more.hidden = true;
      return;
    }
    const rows = selected();
    const focused = document.activeElement?.dataset?.sort;
    results.replaceChildren(state.view === "list" ? list(rows) : groups(rows));
    if (focused) results.querySelector(`[data-sort="${focused}"]`)?.focus();
    count.textContent = rows.length ? _("{shown} of {all} findings", { shown: rows.length, all: findings.length }) : _("None of {all} findings", { all: findings.length });
  }

  function arrive() {
    const linked = target = read();
    if (!linked) shown = CHUNK;
    render();
    const button = linked && document.getElementById(`finding-${linked}`);
    if (button) {
      button.closest("tr").scrollIntoView({ block: "start" });
      button.focus({ preventScroll: true });
    }
  }

  const distinct = (field) => [...new Set(findings.map((f) => f[field]))].sort();
  fill(form.elements.news, [["", _("all")], ["1", _("since last night")]]);
  fill(form.elements.severity, [["", _("all")], ...Object.keys(RANK).map((s) => [s, _(s)])]);
  fill(form.elements.status, [["todo", _("to do")], ["", _("all")], ...distinct("status").map((s) => [s, _(s)])]);
  fill(form.elements.source, [["", _("all")], ...distinct("source").map((s) => [s, s === NOT_LINKED ? _("no source") : s])]);
  fill(form.elements.category, [["", _("all")], ...distinct("category").filter(Boolean).map((c) => [c, _(c)])]);
  fill(form.elements.rule, [["", _("all")], ...distinct("rule_id").map((r) => [r, r])]);
  fill(form.elements.file, [["", _("all")], ...distinct("path").map((p) => [p, p])]);
  fill(form.elements.patient, [["", _("all")], ...distinct("pseudonym").map((p) => [p, patient(p)])]);

  // What is shown, as a sheet: a formula in a delivered value must stay text.
  const cell = (value) => {
    const text = String(value ?? "");
    return `"${(/^[\s]*[=+\-@\uff0b\uff0d\uff1d\uff20]/.test(text) ? `'${text}` : text).replace(/"/g, '""')}"`;
  };
  document.getElementById("download").addEventListener("click", () => {
    const own = (f, n) => ((n === "pseudonym" || n === "source") && f[n] === NOT_LINKED ? "" : f[n]);
    let lines;
    if (state.view === "list") {
      const column = COLUMNS.find((c) => c.id === state.sort) || COLUMNS[0];
      const ordered = sorted(selected(), column.value, state.dir === "desc" ? -1 : 1);
      lines = [names, ...ordered.map((f) => names.map((n) => own(f, n)))];
    } else {
      const { columns, ordered } = grouped(selected());
      const ids = columns.map((c) => c.id);
      lines = [[state.view, ...ids.slice(1)], ...ordered.map((g) => ids.map((id) => (id === "key" && g.key === NOT_LINKED ? "" : g[id])))];
    }
    const text = `\ufeff${lines.map((line) => line.map(cell).join(",")).join("\r\n")}\r\n`;
    const link = make("a", { href: URL.createObjectURL(new Blob([text], { type: "text/csv" })), download: `${data.study}-${state.view === "list" ? "findings" : `by-${state.view}`}.csv` });
    link.click();
    URL.revokeObjectURL(link.href);
  });

  let pending;
  form.addEventListener("input", (event) => {
    clearTimeout(pending);
    const { name, value } = event.target;
    pending = setTimeout(() => go({ [name]: value }), name === "q" ? 150 : 0);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    open = new Set();
    go({ ...DEFAULTS, view: state.view });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || /^(INPUT|SELECT)$/.test(event.target.tagName)) return;
    event.preventDefault();
    form.elements.q.focus();
  });
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    results.focus();
  });
  window.addEventListener("hashchange", arrive);
  arrive();
})();
