import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  EQUALS,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  ZERO,
} from './ascii.ts';
import { multibyteLength } from './utf8.ts';

const NOTHING: Uint8Array = new Uint8Array(0);

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

/** The highest bit of each byte of a word. */
const HIGH_BITS = 0x80808080;

/** The bytes of an ASCII text. */
export function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** After so many bytes that stay as they are, the next are looked at by the word again. */
const PLAIN_RUN = 8;

/**
 * Whether all four bytes of a word stay as they are: none is a control character, a quote,
 * a backslash or above 0x7f.
 */
function isPlain(word: number): boolean {
  const low = word - 0x20202020;
  const quote = (word ^ 0x22222222) - 0x01010101;
  const backslash = (word ^ 0x5c5c5c5c) - 0x01010101;
  return ((((low | quote | backslash) & ~word) | word) & HIGH_BITS) === 0;
}

/**
 * Copies a text of which every byte stays as it is.
 * @param view of where to write, from `at` on
 * @param source of what to read, from `start` to `end`
 * @returns the offset behind what was written, or -1 where a byte does not stay as it is
 */
export function copyPlain(
  view: DataView,
  at: number,
  source: DataView,
  start: number,
  end: number,
): number {
  let to = at;
  let i = start;
  for (; i + 4 <= end; i += 4, to += 4) {
    const word = source.getInt32(i, true);
    if (!isPlain(word)) return -1;
    view.setInt32(to, word, true);
  }
  for (; i < end; i++, to++) {
    const byte = source.getUint8(i);
    if (TREATMENT[byte] !== PLAIN) return -1;
    view.setUint8(to, byte);
  }
  return to;
}

/** An ASCII text that is written four bytes at a time. */
export class Literal {
  /** Its bytes, the first lowest, and zeros behind them. */
  readonly words: Int32Array;
  readonly length: number;

  constructor(text: string) {
    const bytes = ascii(text);
    this.length = bytes.length;
    this.words = new Int32Array(Math.ceil(bytes.length / 4));
    for (let i = 0; i < bytes.length; i++) this.words[i >> 2] |= bytes[i] << (8 * (i & 3));
  }
}

const UNICODE_ESCAPE = new Literal('\\u00');

/**
 * Writes JSON (RFC 8259) into a buffer that the caller has made large enough: at
 * most six bytes for each byte of text. Commas between members are the caller's.
 */
export class JsonWriter {
  out: Uint8Array = NOTHING;
  at = 0;
  /** Of `out`. */
  view = new DataView(NOTHING.buffer);
  private source = NOTHING;
  private sourceView = this.view;
  /** Whether any text since this was last cleared was not UTF-8. */
  malformed = false;

  /** Where to write from now on. */
  begin(out: Uint8Array, at: number): void {
    if (out !== this.out) {
      this.out = out;
      this.view = new DataView(out.buffer, out.byteOffset, out.byteLength);
    }
    this.at = at;
    this.malformed = false;
  }

  /** A view of what texts are read from; many in a row come from the same bytes. */
  viewOf(bytes: Uint8Array): DataView {
    if (bytes !== this.source) {
      this.source = bytes;
      this.sourceView = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    return this.sourceView;
  }

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

  /** Writes punctuation and names that are known beforehand, and up to three bytes behind them. */
  literal({ words, length }: Literal): void {
    const { view, at } = this;
    for (let i = 0; i < words.length; i++) view.setInt32(at + 4 * i, words[i], true);
    this.at = at + length;
  }

  /** Writes bytes that need no escape. */
  copy(bytes: Uint8Array, start: number, end: number): void {
    const { out } = this;
    let { at } = this;
    for (let i = start; i < end; i++) out[at++] = bytes[i];
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
    const { out, view } = this;
    const source = this.viewOf(bytes);
    const lastWord = end - 4;
    let { at } = this;
    let i = start;
    while (i < end) {
      for (; i <= lastWord; i += 4, at += 4) {
        const word = source.getInt32(i, true);
        if (!isPlain(word)) break;
        view.setInt32(at, word, true);
      }
      // Byte by byte, until there is a run of those that stay as they are.
      for (let run = 0; i < end && run < PLAIN_RUN; ) {
        const byte = bytes[i];
        const treatment = TREATMENT[byte];
        if (treatment === PLAIN) {
          out[at++] = byte;
          i += 1;
          run += 1;
          continue;
        }
        run = 0;
        if (treatment > MULTIBYTE) {
          out[at++] = BACKSLASH;
          out[at++] = treatment;
          i += 1;
        } else if (treatment === MULTIBYTE) {
          const length = multibyteLength(bytes, i, end);
          if (length > 0) {
            for (const next = i + length; i < next; i++) out[at++] = bytes[i];
          } else {
            this.malformed = true;
            out[at++] = 0xef;
            out[at++] = 0xbf;
            out[at++] = 0xbd;
            i -= length;
          }
        } else {
          this.at = at;
          this.control(byte);
          at = this.at;
          i += 1;
        }
      }
    }
    this.at = at;
  }

  /** Writes a control character that has no short escape. */
  private control(byte: number): void {
    this.literal(UNICODE_ESCAPE);
    this.out[this.at++] = HEX[byte >> 4];
    this.out[this.at++] = HEX[byte & 15];
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
