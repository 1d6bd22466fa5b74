// Time machine: the slider and the typed time say the same; letting go of the slider, or Enter, shows that time.
const MS_A_DAY = 86400000;
const pad = (number) => String(number).padStart(2, "0");

function local(ms) {
  const at = new Date(ms);
  const date = [at.getUTCFullYear(), pad(at.getUTCMonth() + 1), pad(at.getUTCDate())].join("-");
  return `${date}T${pad(at.getUTCHours())}:${pad(at.getUTCMinutes())}`;
}

// Wall-clock arithmetic, as written: the server reads it in the hospital's time zone.
const wall = (text) => Date.parse(`${text}:00Z`);

function wire(form) {
  const [slider, typed, told] = [form.querySelector("[data-days]"), form.querySelector("[name=as_of]"), form.querySelector("output")];
  const say = () => {
    told.textContent = slider.value;
    slider.setAttribute("aria-valuetext", `day ${slider.value}, ${typed.value.replace("T", " ")}`);
  };
  slider.addEventListener("input", () => {
    typed.value = local(Math.min(wall(form.dataset.base) + slider.value * MS_A_DAY, wall(typed.max)));
    say();
  });
  slider.addEventListener("keydown", (event) => event.key === "Enter" && form.requestSubmit());
  slider.addEventListener("pointerup", () => form.requestSubmit());
  typed.addEventListener("change", () => {
    if (!typed.value) return;
    slider.value = (wall(typed.value) - wall(form.dataset.base)) / MS_A_DAY;
    say();
  });
}

const seen = new WeakSet();
const find = () => document.querySelectorAll("[data-machine]").forEach((form) => seen.has(form) || (seen.add(form), wire(form)));
find();
const live = document.querySelector("#live");
if (live) new MutationObserver(find).observe(live, { childList: true });
