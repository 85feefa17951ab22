/** More of one text is not shown. */
const MAX_CHARACTERS = 2_000;

/**
 * A text as one line for people: what others have sent may hold line ends, what a terminal obeys,
 * and more than anybody reads.
 */
export function oneLine(text: string): string {
  const line = text
    .slice(0, MAX_CHARACTERS)
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu, ' ');
  return text.length > MAX_CHARACTERS ? `${line}…` : line;
}
