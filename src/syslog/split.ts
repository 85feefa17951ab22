/** A document as `writeDocument` makes it, read back. */
interface Document {
  message?: string;
  error?: string;
  raw?: string;
  part?: number;
  subpart?: number;
  [field: string]: unknown;
}

const encoder = new TextEncoder();

/**
 * Cuts a JSON document that is too large for its topic into documents of at most
 * `maxBytes`. Each repeats the header fields and holds the next piece of the
 * message; they are numbered by `part`, or by `subpart` where the document is a
 * part already. Where the header takes too much of that, the pieces are of the
 * document's own JSON text, and `error` says so.
 *
 * It works on strings and is slow: it serves topics whose limit is below the default.
 *
 * @returns null where not even one character fits
 */
export function splitDocument(value: Uint8Array, maxBytes: number): Uint8Array[] | null {
  const text = new TextDecoder().decode(value);
  const { message, raw, ...header } = JSON.parse(text) as Document;
  if (2 * encodePart(header, 1, '').length > maxBytes) {
    return cutText(asText(header), text, maxBytes);
  }
  return raw === undefined
    ? cutText(header, message ?? '', maxBytes)
    : cutBytes(header, Buffer.from(raw, 'base64'), maxBytes);
}

/** The header of pieces that hold a document's JSON text. */
function asText({ facility, severity, part }: Document): Document {
  const header: Document = {
    facility,
    severity,
    error: 'the document is too large for the topic: its JSON text follows in parts',
  };
  return part === undefined ? header : { ...header, part };
}

function cutText(header: Document, text: string, maxBytes: number): Uint8Array[] | null {
  const parts: Uint8Array[] = [];
  let rest = text;
  while (rest !== '' || parts.length === 0) {
    const number = parts.length + 1;
    let take = rest.length;
    let part = encodePart(header, number, rest);
    while (part.length > maxBytes) {
      // Once the size is near, the share of it that fits says how much to take.
      take = Math.min(take - 1, Math.floor((take * maxBytes) / part.length));
      if (take > 0 && isHighSurrogate(rest.charCodeAt(take - 1))) take -= 1;
      if (take <= 0) return null;
      part = encodePart(header, number, rest.slice(0, take));
    }
    parts.push(part);
    rest = rest.slice(take);
  }
  return parts;
}

/** For a frame that is not UTF-8: each part has its own piece of the frame's bytes. */
function cutBytes(header: Document, frame: Uint8Array, maxBytes: number): Uint8Array[] | null {
  const parts: Uint8Array[] = [];
  let at = 0;
  while (at < frame.length) {
    const number = parts.length + 1;
    let take = frame.length - at;
    let part = encodeRawPart(header, number, frame.subarray(at, at + take));
    while (part.length > maxBytes) {
      take = Math.min(take - 1, Math.floor((take * maxBytes) / part.length));
      if (take <= 0) return null;
      part = encodeRawPart(header, number, frame.subarray(at, at + take));
    }
    parts.push(part);
    at += take;
  }
  return parts;
}

function encodePart(header: Document, number: number, message: string, raw?: string): Uint8Array {
  const { error, part, subpart: _, ...fields } = header;
  const document: Document = { ...fields, message };
  if (error !== undefined) document.error = error;
  if (raw !== undefined) document.raw = raw;
  document.part = part ?? number;
  if (part !== undefined) document.subpart = number;
  return encoder.encode(JSON.stringify(document));
}

function encodeRawPart(header: Document, number: number, bytes: Uint8Array): Uint8Array {
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
  return encodePart(header, number, new TextDecoder().decode(bytes), raw);
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}
