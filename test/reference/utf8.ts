const lenient = new TextDecoder('utf-8', { ignoreBOM: true });
const strict = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });

/** The bytes' text, with U+FFFD for what is malformed. */
export function decode(bytes: string): string {
  return lenient.decode(Buffer.from(bytes, 'latin1'));
}

/** Whether nothing is malformed. */
export function isUtf8(bytes: string): boolean {
  try {
    strict.decode(Buffer.from(bytes, 'latin1'));
    return true;
  } catch {
    return false;
  }
}

/**
 * The first `count` bytes, or up to three less where the next one would continue a character.
 * What is no UTF-8 is cut where asked.
 */
export function wholeCharacters(bytes: string, count: number): string {
  if (bytes.length <= count) return bytes;
  const cutCharacter = /^(.+)[^\x80-\xbf][\x80-\xbf]{1,3}$/s.exec(bytes.slice(0, count + 1));
  return cutCharacter?.[1] ?? bytes.slice(0, count);
}
