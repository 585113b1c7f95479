// What the server says of the options, once for all scripts: defaults, limits, choices and sentences. It comes from
// app/pages/page_options.py by the form's `data-options`.

const form = document.querySelector("#paint");

export const { limits, controls, folded, sizes, formats, files, blend, masks, sheet, sentences } = JSON.parse(form.dataset.options);
