// The matrix's filters and sorting. The page is complete without it; the state lives in the address: #matrix;dtype=float16;text=tanh
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("matrix-data").textContent);
  const form = document.getElementById("filters");
  const table = document.getElementById("matrix-table");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const words = data.words.map(([letter, tone, label], rank) => ({ letter, tone, label, rank }));
  const byLetter = new Map(words.map((word) => [word.letter, word]));
  const none = { letter: "·", tone: "none", label: "not run", rank: -1 };
  const fields = ["dtype", "device", "compilation", "verdict", "tag", "text"];
  let state = { sort: "", down: "" };

  // The slots of a cell, one letter each, in the order dtype, device, compilation.
  const slots = data.dtypes.flatMap((dtype) =>
    data.devices.flatMap((device) => data.compilations.map((compilation) => ({ dtype, device, compilation }))));

  const chosen = (slot) => ["dtype", "device", "compilation"].every((axis) => !state[axis] || state[axis] === slot[axis]);

  function worst(letters) {
    let found = none, known = true;
    slots.forEach((slot, k) => {
      if (letters[k] === "." || !chosen(slot)) return;
      const word = byLetter.get(letters[k].toUpperCase()) || none;
      const acknowledged = letters[k] !== letters[k].toUpperCase();
      if (word.rank > found.rank || (word.rank === found.rank && !acknowledged)) [found, known] = [word, acknowledged];
    });
    return { word: found, known: known && found !== none };
  }

  function described(letters) {
    const parts = new Map();
    slots.forEach((slot, k) => {
      if (letters[k] === "." || !chosen(slot)) return;
      const word = byLetter.get(letters[k].toUpperCase()) || none;
      const key = `${slot.dtype} ${slot.device}: ${word.label}`;
      parts.set(key, [...(parts.get(key) || []), slot.compilation]);
    });
    return [...parts].map(([key, compilations]) => `${key} (${compilations.filter(Boolean).join(", ")})`).join("\n");
  }

  function paint(row) {
    const cells = data.cells[row.dataset.row];
    row.ranks = cells.map((letters, k) => {
      const { word, known } = worst(letters);
      const span = row.cells[k + 1].firstElementChild;
      span.className = `cell ${word.tone}${known ? " ack" : ""}`;
      span.textContent = known ? word.letter.toLowerCase() : word.letter;
      return word.rank;
    });
    const texts = (state.text || "").toLowerCase().split(/\s+/);
    const wanted = byLetter.get(state.verdict);
    row.hidden = !texts.every((text) => row.dataset.text.includes(text))
      || (state.tag && !JSON.parse(row.dataset.tags).includes(state.tag))
      || (wanted !== undefined && !cells.some((letters) => slots.some((slot, k) => chosen(slot) && letters[k].toUpperCase() === wanted.letter)));
  }

  function sortRows() {
    const key = state.sort;
    const number = (row) => Number(row.dataset.row);
    const orders = {
      "": (a, b) => number(a) - number(b),
      title: (a, b) => a.cells[0].textContent.localeCompare(b.cells[0].textContent),
    };
    const order = orders[key] || ((a, b) => b.ranks[key] - a.ranks[key] || number(a) - number(b));
    const sign = state.down ? -1 : 1;
    [...rows].sort((a, b) => sign * order(a, b)).forEach((row) => body.append(row));
    table.querySelectorAll("[data-sort]").forEach((head) => {
      if (key !== "" && head.dataset.sort === key) head.setAttribute("aria-sort", state.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
  }

  function show() {
    rows.forEach(paint);
    sortRows();
    const visible = rows.filter((row) => !row.hidden).length;
    document.getElementById("shown").textContent = visible === rows.length ? "" : `${visible} of ${rows.length} functions`;
  }

  function remember() {
    const said = [...fields, "sort", "down"].filter((name) => state[name]).map((name) => `${name}=${encodeURIComponent(state[name])}`);
    history.replaceState(null, "", said.length ? `#matrix;${said.join(";")}` : "#matrix");
  }

  function recall() {
    const [place, ...said] = location.hash.slice(1).split(";");
    if (place !== "matrix" || !said.length) return;
    state = { sort: "", down: "" };
    for (const each of said) {
      const [name, value = ""] = each.split("=");
      if ([...fields, "sort", "down"].includes(name)) {
        try { state[name] = decodeURIComponent(value); } catch { state[name] = ""; }
      }
    }
    fields.forEach((name) => { form.elements[name].value = state[name] || ""; });
    show();
    document.getElementById("matrix").scrollIntoView();
  }

  table.querySelectorAll("[data-sort]").forEach((head) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => {
      const again = state.sort === head.dataset.sort;
      if (again && state.down) [state.sort, state.down] = ["", ""];
      else [state.sort, state.down] = [head.dataset.sort, again ? "1" : ""];
      show();
      remember();
    });
    head.append(button);
  });

  body.addEventListener("pointerover", (event) => {
    const cell = event.target.closest("td");
    if (cell && !cell.title) cell.title = described(data.cells[cell.parentElement.dataset.row][cell.cellIndex - 1]);
  });

  form.addEventListener("input", () => {
    fields.forEach((name) => { state[name] = form.elements[name].value; });
    body.querySelectorAll("td[title]").forEach((cell) => cell.removeAttribute("title"));
    show();
    remember();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("hashchange", recall);

  // A large report's plots and further tables are deflated at the end of the page; each is shown when it comes into view.
  const store = document.getElementById("packed");
  if (store) {
    let parts;
    const unpacked = () => parts ||= (async () => {
      const bytes = Uint8Array.from(atob(store.textContent), (each) => each.charCodeAt(0));
      const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
      return (await new Response(stream).text()).split("\n");
    })();
    const fill = (place, found) => {
      if (place.childElementCount === 0) place.innerHTML = found[place.dataset.packed];
      reach(place);
    };
    const unpack = async (place) => fill(place, await unpacked());
    const seen = new IntersectionObserver((changes) => changes.forEach(({ isIntersecting, target }) => {
      if (!isIntersecting) return;
      seen.unobserve(target);
      unpack(target);
    }), { rootMargin: "900px" });
    const places = [...document.querySelectorAll("[data-packed]")];
    places.forEach((place) => seen.observe(place));

    // A printer waits for nobody: what it needs is inflated before it is asked for.
    let ready = [];
    setTimeout(async () => { ready = await unpacked(); }, 1000);
    window.addEventListener("beforeprint", () => {
      if (ready.length) places.filter((place) => !place.closest("details:not([open])")).forEach((place) => fill(place, ready));
    });
  }

  // A formula wider than the page scrolls; the keyboard must reach it. What is far away is not laid out, nor measured.
  const reached = new IntersectionObserver((changes) => changes
    .filter((each) => each.isIntersecting)
    .map(({ target }) => [target, target.scrollWidth > target.clientWidth])
    .forEach(([target, wide]) => { if (wide) target.tabIndex = 0; else target.removeAttribute("tabindex"); }), { rootMargin: "900px" });
  const reach = (root) => root.querySelectorAll(".display").forEach((each) => reached.observe(each));
  reach(document);

  // A long list of contents would fill a phone's first screen.
  if (matchMedia("(max-width: 72rem)").matches) document.querySelector(".contents details").open = false;
  form.hidden = false;
  recall();
})();
