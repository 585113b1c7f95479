// Where files are dropped, pasted or browsed for. Each zone is handed the pictures it was given.

const pictures = (list) => [...list].filter((file) => file.type.startsWith("image/") || !file.type);

/** The pictures among them; where there are none, all: whoever takes them tells what is wrong. */
function dropped(list) {
  const found = pictures(list);
  return found.length ? found : [...list];
}

export function setUpZone(zone, input, take) {
  const given = (files) => files.length && take(files);
  input.addEventListener("change", () => given([...input.files])); // what was browsed for may be no picture either
  for (const kind of ["dragenter", "dragover"]) {
    zone.addEventListener(kind, (event) => {
      event.preventDefault();
      zone.classList.add("is-over");
    });
  }
  zone.addEventListener("dragleave", (event) => {
    if (!zone.contains(event.relatedTarget)) zone.classList.remove("is-over");
  });
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("is-over");
    given(dropped(event.dataTransfer.files));
  });
}

export function setUpPaste(take) {
  document.addEventListener("paste", (event) => {
    const files = pictures(event.clipboardData.files);
    if (files.length) take(files);
  });
}

export function refuseStrayDrops() {
  // else the browser leaves the page for the picture
  for (const kind of ["dragover", "drop"]) window.addEventListener(kind, (event) => event.preventDefault());
}
