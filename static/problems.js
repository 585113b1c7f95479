// What is wrong is told beside the field that it is about: <p id="FIELD-problem">, which describes its control, and what
// has no field beside the form.

function box(field) {
  return document.getElementById(`${field}-problem`) ?? document.getElementById("form-problem");
}

/** The control that a field is set with; null where there is none. */
const controlOf = (field) => document.querySelector(`[aria-describedby~="${CSS.escape(field)}-problem"]:not(fieldset)`);

/** Where somebody puts a field right: at its control, else at the head of the part that tells of it; else null. */
export function placeOf(field) {
  const control = controlOf(field);
  return control && !control.closest("[hidden]") ? control : (box(field).closest("details")?.querySelector("summary") ?? null);
}

export function tell(field, message) {
  const told = box(field);
  told.textContent = message;
  told.hidden = false;
  const folded = told.closest("details");
  if (folded) folded.open = true;
  controlOf(field)?.setAttribute("aria-invalid", "true");
}

/** Has in view what is told of it. */
export const reveal = (field) => box(field).scrollIntoView({ block: "nearest" });

/** Goes to where `field` is put right, else to `otherwise`. */
export function lead(field, otherwise = null) {
  (placeOf(field) ?? otherwise)?.focus();
  reveal(field);
}

export const isTold = (field) => !box(field).hidden;

export function forget(field) {
  box(field).hidden = true;
  controlOf(field)?.removeAttribute("aria-invalid");
}

export function forgetAll() {
  for (const told of document.querySelectorAll(".problem")) forget(told.id.replace("-problem", ""));
}
