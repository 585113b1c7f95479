// What is wrong is told beside the field that it is about: <p id="FIELD-problem">, and what has no field beside the form.

function box(field) {
  return document.getElementById(`${field}-problem`) ?? document.getElementById("form-problem");
}

export function tell(field, message) {
  const told = box(field);
  told.textContent = message;
  told.hidden = false;
  document.getElementById(field)?.setAttribute("aria-invalid", "true");
}

export function forget(field) {
  box(field).hidden = true;
  document.getElementById(field)?.removeAttribute("aria-invalid");
}

export function forgetAll() {
  for (const told of document.querySelectorAll(".problem")) forget(told.id.replace("-problem", ""));
}
