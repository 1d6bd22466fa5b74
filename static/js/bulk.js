// A template of words fills an empty or untouched message; what somebody has typed stays.
const choice = document.querySelector("[data-fills]");
if (choice) {
  const text = document.getElementById(choice.dataset.fills);
  let filled = "";
  choice.addEventListener("change", () => {
    if (text.value && text.value !== filled) return;
    text.value = filled = choice.value;
  });
}
