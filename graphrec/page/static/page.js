// What the page adds where JavaScript runs: results while typing, lists that follow the sliders, pictures in place.
// Every part comes from the server as HTML, from the address that a link or a form without JavaScript would open.

document.documentElement.classList.add("js");

async function fetchPart(address, part, signal) {
  const response = await fetch(address, { headers: { "X-Part": part }, signal });
  if (response.status === 401) location.reload(); // the session has ended
  return response.text();
}

function debounce(work, milliseconds) {
  let timer, controller;
  return (...values) => {
    clearTimeout(timer);
    controller?.abort();
    controller = new AbortController();
    timer = setTimeout(() => work(controller.signal, ...values).catch((error) => {
      if (error.name !== "AbortError") throw error;
    }), milliseconds);
  };
}

// A list below an input that arrow keys reach.
function bindList(input, list, entries) {
  input.parentElement.addEventListener("keydown", (event) => {
    const all = [...list.querySelectorAll(entries)];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && !list.hidden && all.length) {
      event.preventDefault();
      const next = all.indexOf(document.activeElement) + step;
      (next < 0 ? input : all[Math.min(next, all.length - 1)]).focus();
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      list.hidden = true;
      input.focus();
    }
  });
  document.addEventListener("click", (event) => {
    if (!input.parentElement.contains(event.target)) list.hidden = true;
  });
  input.parentElement.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !input.parentElement.contains(event.relatedTarget)) list.hidden = true;
  });
}

for (const form of document.querySelectorAll("[data-search]")) {
  const input = form.elements.q, list = form.querySelector(".found");
  bindList(input, list, "a");
  input.addEventListener("input", debounce(async (signal) => {
    const text = input.value.trim();
    if (text) list.innerHTML = await fetchPart(`/search?q=${encodeURIComponent(text)}`, "found", signal);
    list.hidden = !text;
  }, 120));
}

document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.target.closest("input, select, textarea")) {
    event.preventDefault();
    document.querySelector("[data-search] input")?.focus();
  }
});

const tune = document.querySelector("[data-tune]");
if (tune) {
  const list = document.querySelector("[data-list]"), find = tune.querySelector("[data-find]");
  const candidates = tune.querySelector("[data-candidates]"), chips = tune.querySelector("[data-chips]");

  // The address of the form without what is at its default.
  const address = () => {
    const values = new URLSearchParams();
    for (const [name, value] of new FormData(tune)) {
      const isDefault = name === "find" || tune.elements[name].dataset?.default === value;
      if (!isDefault) values.append(name, value);
    }
    return `${tune.getAttribute("action")}?${values}`;
  };
  const load = async (signal) => {
    history.replaceState(null, "", address());
    list.setAttribute("aria-busy", "true");
    list.innerHTML = await fetchPart(address(), "list", signal);
    list.removeAttribute("aria-busy");
  };
  const update = debounce(load, 90);

  tune.addEventListener("input", (event) => {
    const slider = event.target;
    if (slider.type !== "range") return;
    const text = slider.dataset.texts.split("|")[slider.value];
    tune.querySelector(`output[for="${slider.id}"]`).textContent = text;
    slider.setAttribute("aria-valuetext", text);
    update();
  });
  tune.addEventListener("change", (event) => {
    if (event.target.type === "checkbox") {
      event.target.closest(".chip").remove();
      find.focus();
    }
    if (event.target.type !== "range" && event.target !== find) update();
  });

  bindList(find, candidates, "button");
  find.addEventListener("input", debounce(async (signal) => {
    const text = find.value.trim();
    const id = encodeURIComponent(tune.elements.id.value);
    if (text) candidates.innerHTML = await fetchPart(`/user?id=${id}&find=${encodeURIComponent(text)}`, "candidates", signal);
    candidates.hidden = !text;
  }, 120));
  const like = (button) => {
    const chip = document.createElement("label"), box = document.createElement("input"), name = document.createElement("bdi");
    chip.className = "chip";
    Object.assign(box, { type: "checkbox", name: "liked", value: button.value, checked: true });
    name.textContent = button.textContent.trim();
    chip.append(box, name);
    if (![...chips.querySelectorAll("input")].some((each) => each.value === button.value)) chips.append(chip);
    find.value = "";
    candidates.hidden = true;
    find.focus();
    update();
  };
  candidates.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    event.preventDefault();
    like(button);
  });
  tune.addEventListener("submit", (event) => {
    event.preventDefault();
    const first = candidates.hidden ? null : candidates.querySelector("button");
    if (first) like(first); else update();
  });
}

// The picture of an item opens below it.
document.addEventListener("click", async (event) => {
  const link = event.target.closest("[data-why]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const row = link.closest("li"), open = row.querySelector(".picture");
  link.setAttribute("aria-expanded", String(!open));
  if (open) return open.remove();
  const picture = document.createElement("div");
  picture.className = "picture";
  picture.setAttribute("aria-busy", "true");
  picture.textContent = "…";
  row.append(picture);
  picture.innerHTML = await fetchPart(link.href, "picture");
  picture.removeAttribute("aria-busy");
});
for (const link of document.querySelectorAll("[data-why]")) link.setAttribute("aria-expanded", "false");

for (const place of document.querySelectorAll("[data-load]")) {
  fetchPart(place.querySelector("a").href, place.dataset.load).then((text) => { place.innerHTML = text; });
}
