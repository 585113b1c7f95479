// Where files are dropped, pasted or browsed for. Each zone is handed the pictures it was given.

const mayBePicture = (file) => file.type.startsWith("image/") || !file.type;

/** All of them, what may be a picture first: whoever takes them tells what is wrong with the others. */
const picturesFirst = (list) => [...list].sort((one, other) => mayBePicture(other) - mayBePicture(one));

export function setUpDropZone(zone, input, take) {
  const takeAny = (files) => files.length && take(files);
  input.addEventListener("change", () => takeAny([...input.files])); // what was browsed for may be no picture either
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
    takeAny(picturesFirst(event.dataTransfer.files));
  });
}

export function setUpPaste(take) {
  document.addEventListener("paste", (event) => {
    const files = [...event.clipboardData.files].filter(mayBePicture);
    if (files.length) take(files);
  });
}

export function refuseStrayDrops() {
  // else the browser leaves the page for the picture
  for (const kind of ["dragover", "drop"]) window.addEventListener(kind, (event) => event.preventDefault());
}
