type Random = (limit: number) => number;

/** Bytes that mean something somewhere: delimiters, escapes, parts of UTF-8 characters. */
const TELLING = [...'<>[]"\\= :.-*0123456789\n\r\0\t', ...'\u00e9\u20ac'].flatMap((text) => [
  ...new TextEncoder().encode(text),
]);

/** A frame with a few random changes. */
export function mutate(frame: Uint8Array, random: Random): Uint8Array {
  let bytes = [...frame];
  for (let changes = random(4); changes > 0; changes--) {
    const at = random(bytes.length + 1);
    const byte = random(3) === 0 ? random(256) : TELLING[random(TELLING.length)];
    const kind = random(5);
    if (kind === 0) bytes.splice(at, 0, byte);
    else if (kind === 1) bytes.splice(at, 1 + random(4));
    else if (kind === 2) bytes[at] = byte;
    else if (kind === 3) bytes = [...bytes.slice(0, at), ...bytes.slice(random(at + 1))];
    else bytes = bytes.slice(0, at);
  }
  return Uint8Array.from(bytes);
}

/** A frame as some sender would frame it, now and then wrongly. */
export function enframe(frame: Uint8Array, random: Random): Uint8Array {
  const text = (suffix: string) => concat([frame, new TextEncoder().encode(suffix)]);
  const kind = random(10);
  if (kind < 4) return text('\n');
  if (kind < 5) return text('\r\n');
  const lie = kind === 5 ? random(9) - 4 : 0;
  const count = new TextEncoder().encode(`${Math.max(0, frame.length + lie)} `);
  return concat([count, frame, kind === 6 ? Uint8Array.of(0x0a) : new Uint8Array(0)]);
}

/** Cuts a stream into chunks at random places. */
export function cut(stream: Uint8Array, random: Random): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  const longest = [1, 3, 40, 500, 5000][random(5)];
  for (let at = 0; at < stream.length; ) {
    const end = Math.min(stream.length, at + 1 + random(longest));
    chunks.push(stream.slice(at, end));
    at = end;
  }
  return chunks;
}

export function concat(pieces: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(pieces));
}
