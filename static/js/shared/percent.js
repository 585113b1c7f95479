/** A share from 0 to 1, in words. */
export const percent = (share) => `${Math.round(100 * share)} %`;
