/** Colours of messages on a terminal, as TypeScript uses them. Everywhere else text stays plain. */

/** How parts of a message are printed. */
export interface Style {
  readonly file: (text: string) => string;
  readonly position: (text: string) => string;
  readonly error: (text: string) => string;
  readonly warning: (text: string) => string;
  readonly note: (text: string) => string;
  readonly code: (text: string) => string;
  readonly lineNumber: (text: string) => string;
}

const same = (text: string): string => text;

export const plain: Style = {
  file: same,
  position: same,
  error: same,
  warning: same,
  note: same,
  code: same,
  lineNumber: same,
};

const sgr =
  (on: number, off: number) =>
  (text: string): string =>
    `\u001b[${on}m${text}\u001b[${off}m`;

export const colored: Style = {
  file: sgr(36, 39),
  position: sgr(33, 39),
  error: sgr(31, 39),
  warning: sgr(33, 39),
  note: sgr(34, 39),
  code: sgr(90, 39),
  lineNumber: sgr(7, 27),
};

/** Colours only for a person at a terminal who did not forbid them (https://no-color.org). */
export function styleFor(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): Style {
  const forbidden = (env["NO_COLOR"] ?? "") !== "" || env["TERM"] === "dumb";
  return stream.isTTY === true && !forbidden ? colored : plain;
}
