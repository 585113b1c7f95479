// Comforts of the styles' and the result's pages: all of them work without it.

function previewFiles(input) {
  const box = document.querySelector(`[data-preview-of="${input.id}"]`);
  for (const old of box.children) URL.revokeObjectURL(old.src);
  box.replaceChildren(...[...input.files].map(createPicture));
  box.hidden = !input.files.length;
}

function createPicture(file) {
  const picture = new Image();
  picture.alt = file.name;
  picture.addEventListener("error", () => picture.remove()); // a kind that this browser cannot show
  picture.src = URL.createObjectURL(file);
  return picture;
}

function suggestName(input) {
  const name = document.getElementById(input.dataset.nameField);
  const [file] = input.files;
  if (!file || (name.value && name.value !== name.dataset.suggested)) return;
  const words = file.name.replace(/\.[^.]*$/, "").replace(/[_-]+/g, " ").trim();
  name.value = name.dataset.suggested = words.slice(0, name.maxLength);
}

function setBusy(form, busy) {
  form.querySelector("button").disabled = busy;
  form.querySelector(".status").textContent = busy ? form.dataset.busy : "";
}

function localTime(element) {
  const format = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "short" });
  element.textContent = format.format(new Date(element.dateTime));
}

for (const input of document.querySelectorAll("[data-name-field]")) {
  input.addEventListener("change", () => {
    previewFiles(input);
    suggestName(input);
  });
}
for (const form of document.querySelectorAll("[data-busy]")) {
  form.addEventListener("submit", () => setBusy(form, true));
  window.addEventListener("pageshow", () => setBusy(form, false)); // back from the next page
}
document.querySelectorAll("time").forEach(localTime);
