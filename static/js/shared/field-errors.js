// What is wrong is told beside the field that it is about: <p id="FIELD-problem">, which describes its control, and what
// has no field beside the form.

function errorElement(field) {
  return document.getElementById(`${field}-problem`) ?? document.getElementById("form-problem");
}

/** The control that a field is set with; null where there is none. */
const controlOf = (field) => document.querySelector(`[aria-describedby~="${CSS.escape(field)}-problem"]:not(fieldset)`);

/** Where somebody puts a field right: at its control, else at the head of the part that tells of it; else null. */
export function focusTarget(field) {
  const control = controlOf(field);
  return control && !control.closest("[hidden]") ? control : (errorElement(field).closest("details")?.querySelector("summary") ?? null);
}

export function showError(field, message) {
  const element = errorElement(field);
  element.textContent = message;
  element.hidden = false;
  const folded = element.closest("details");
  if (folded) folded.open = true;
  controlOf(field)?.setAttribute("aria-invalid", "true");
}

/** Has in view what is told of it. */
export const scrollToError = (field) => errorElement(field).scrollIntoView({ block: "nearest" });

/** Goes to where `field` is put right, else to `otherwise`. */
export function focusField(field, otherwise = null) {
  (focusTarget(field) ?? otherwise)?.focus();
  scrollToError(field);
}

export const hasError = (field) => !errorElement(field).hidden;

export function clearError(field) {
  errorElement(field).hidden = true;
  controlOf(field)?.removeAttribute("aria-invalid");
}

export function clearErrors() {
  for (const element of document.querySelectorAll(".problem")) clearError(element.id.replace("-problem", ""));
}
