import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  EQUALS,
  LOWER_U,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  ZERO,
} from './ascii.ts';
import { multibyteLength } from './utf8.ts';

const PLAIN = 0;
const CONTROL = 1;
const MULTIBYTE = 2;
/** What each byte needs: PLAIN, CONTROL, MULTIBYTE, or the letter of its short escape. */
const TREATMENT = new Uint8Array(256);
TREATMENT.fill(CONTROL, 0, 0x20);
TREATMENT.fill(MULTIBYTE, 0x80);
for (const [byte, letter] of ['\bb', '\tt', '\nn', '\ff', '\rr', '""', '\\\\']) {
  TREATMENT[byte.charCodeAt(0)] = letter.charCodeAt(0);
}

const HEX = ascii('0123456789abcdef');
const BASE64 = ascii('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/');

/** The bytes of an ASCII text. */
export function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/**
 * Writes JSON (RFC 8259) into a buffer that the caller has made large enough: at
 * most six bytes for each byte of text. Commas between members are the caller's.
 */
export class JsonWriter {
  out: Uint8Array = new Uint8Array(0);
  at = 0;
  /** Whether any text since this was last cleared was not UTF-8. */
  malformed = false;

  open(): void {
    this.out[this.at++] = OPEN_BRACE;
  }

  close(): void {
    this.out[this.at++] = CLOSE_BRACE;
  }

  openArray(): void {
    this.out[this.at++] = OPEN_BRACKET;
  }

  closeArray(): void {
    this.out[this.at++] = CLOSE_BRACKET;
  }

  comma(): void {
    this.out[this.at++] = COMMA;
  }

  /** Writes bytes as they are: punctuation and names that are known beforehand. */
  literal(bytes: Uint8Array): void {
    const { out } = this;
    let { at } = this;
    for (let i = 0; i < bytes.length; i++) out[at++] = bytes[i];
    this.at = at;
  }

  /** Writes a whole number that is not negative. */
  number(value: number): void {
    if (value >= 10) this.number(Math.floor(value / 10));
    this.out[this.at++] = ZERO + (value % 10);
  }

  /** Writes `"…":` from the frame's bytes. */
  name(bytes: Uint8Array, start: number, end: number): void {
    this.string(bytes, start, end);
    this.out[this.at++] = COLON;
  }

  /** Writes `"…"` from the frame's bytes. */
  string(bytes: Uint8Array, start: number, end: number): void {
    this.out[this.at++] = QUOTE;
    this.text(bytes, start, end);
    this.out[this.at++] = QUOTE;
  }

  /** Writes `"…"` from a PARAM-VALUE, whose `\"`, `\\` and `\]` are unescaped (RFC 5424 §6.3.3). */
  quotedValue(bytes: Uint8Array, start: number, end: number): void {
    this.out[this.at++] = QUOTE;
    let from = start;
    for (let at = start; at < end - 1; at++) {
      if (bytes[at] !== BACKSLASH) continue;
      const next = bytes[at + 1];
      if (next === QUOTE || next === BACKSLASH || next === CLOSE_BRACKET) {
        this.text(bytes, from, at);
        from = at + 1;
        at += 1;
      }
    }
    this.text(bytes, from, end);
    this.out[this.at++] = QUOTE;
  }

  /** Writes a string's inside: escaped, and U+FFFD for what is not UTF-8. */
  text(bytes: Uint8Array, start: number, end: number): void {
    const { out } = this;
    let { at } = this;
    for (let i = start; i < end; i++) {
      const byte = bytes[i];
      const treatment = TREATMENT[byte];
      if (treatment === PLAIN) {
        out[at++] = byte;
      } else if (treatment === MULTIBYTE) {
        const length = multibyteLength(bytes, i, end);
        if (length > 0) {
          for (const last = i + length; i < last; i++) out[at++] = bytes[i];
        } else {
          this.malformed = true;
          out[at++] = 0xef;
          out[at++] = 0xbf;
          out[at++] = 0xbd;
          i -= length;
        }
        i -= 1;
      } else if (treatment === CONTROL) {
        out[at++] = BACKSLASH;
        out[at++] = LOWER_U;
        out[at++] = ZERO;
        out[at++] = ZERO;
        out[at++] = HEX[byte >> 4];
        out[at++] = HEX[byte & 15];
      } else {
        out[at++] = BACKSLASH;
        out[at++] = treatment;
      }
    }
    this.at = at;
  }

  /** Writes bytes in base64 with padding (RFC 4648 §4). */
  base64(bytes: Uint8Array, start: number, end: number): void {
    const { out } = this;
    let { at } = this;
    for (let i = start; i < end; i += 3) {
      const three =
        (bytes[i] << 16) | (i + 1 < end ? bytes[i + 1] << 8 : 0) | (i + 2 < end ? bytes[i + 2] : 0);
      out[at++] = BASE64[three >> 18];
      out[at++] = BASE64[(three >> 12) & 63];
      out[at++] = i + 1 < end ? BASE64[(three >> 6) & 63] : EQUALS;
      out[at++] = i + 2 < end ? BASE64[three & 63] : EQUALS;
    }
    this.at = at;
  }
}
