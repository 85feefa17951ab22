/**
 * The names in a certificate, read from its DER. What the runtimes make of them is a text where a
 * name may look like two (Deno), and each writes addresses in its own way.
 */

/** One value: its tag, and where what it holds begins and ends. */
interface Value {
  tag: number;
  bytes: Uint8Array;
}

const OBJECT = 0x06;
const SEQUENCE = 0x30;
const OCTETS = 0x04;
const BMP_STRING = 0x1e;
/** What else a common name may be, all read as UTF-8: UTF8String, PrintableString, T61String, IA5String. */
const STRINGS = [0x0c, 0x13, 0x14, 0x16];
/** Within what is signed: the version, which may be left out, and the extensions. */
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;
/** How many values stand before the subject, the version aside. */
const BEFORE_SUBJECT = 4;
const COMMON_NAME = '2.5.4.3';
const ALTERNATIVE_NAMES = '2.5.29.17';
/** The kinds of alternative names. */
const DNS = 0x82;
const URI = 0x86;
const ADDRESS = 0x87;

const utf8 = new TextDecoder();

/** Its subjectAltName's DNS names, addresses and URIs, and its common names. */
export function namesIn(certificate: Uint8Array): string[] {
  const [whole] = valuesIn(certificate);
  const [signed] = valuesIn(whole?.bytes);
  const fields = valuesIn(signed?.bytes).filter(({ tag }) => tag !== VERSION);
  const [extensions] = valuesIn(fields.find(({ tag }) => tag === EXTENSIONS)?.bytes);
  const names = [
    ...valuesIn(extensions?.bytes).flatMap(alternativeNames),
    ...valuesIn(fields[BEFORE_SUBJECT]?.bytes).flatMap(commonNames),
  ];
  return [...new Set(names)];
}

function alternativeNames({ bytes }: Value): string[] {
  const [object, ...rest] = valuesIn(bytes);
  if (!isObject(object, ALTERNATIVE_NAMES)) return [];
  const [list] = valuesIn(rest.find(({ tag }) => tag === OCTETS)?.bytes);
  return valuesIn(list?.bytes).flatMap(({ tag, bytes }) => {
    if (tag === ADDRESS) return addressIn(bytes) ?? [];
    return tag === DNS || tag === URI ? utf8.decode(bytes) : [];
  });
}

function commonNames({ bytes }: Value): string[] {
  return valuesIn(bytes)
    .filter(({ tag }) => tag === SEQUENCE)
    .flatMap(({ bytes }) => {
      const [object, name] = valuesIn(bytes);
      if (!name || !isObject(object, COMMON_NAME)) return [];
      if (name.tag === BMP_STRING) return new TextDecoder('utf-16be').decode(name.bytes);
      return STRINGS.includes(name.tag) ? utf8.decode(name.bytes) : [];
    });
}

/** As addresses are usually written: the longest zeros of IPv6 left out. */
function addressIn(bytes: Uint8Array): string | undefined {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) return undefined;
  const groups = Array.from({ length: 8 }, (_, i) =>
    new DataView(bytes.buffer, bytes.byteOffset).getUint16(i * 2).toString(16),
  );
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

/** @param id a short one, whose numbers beyond the first two take a byte each */
function isObject(value: Value | undefined, id: string): boolean {
  if (value?.tag !== OBJECT) return false;
  const [first = 0, ...rest] = value.bytes;
  return `${Math.floor(first / 40)}.${first % 40}.${rest.join('.')}` === id;
}

/** The values that stand one after the other, as far as they are whole. */
function valuesIn(bytes: Uint8Array = new Uint8Array()): Value[] {
  const values: Value[] = [];
  for (let at = 0; at + 2 <= bytes.length; ) {
    const tag = bytes[at] as number;
    let length = bytes[at + 1] as number;
    let start = at + 2;
    if (length >= 0x80) {
      const digits = bytes.subarray(start, start + (length & 0x7f));
      length = digits.reduce((sum, digit) => sum * 256 + digit, 0);
      start += digits.length;
    }
    at = start + length;
    if (at > bytes.length) break;
    values.push({ tag, bytes: bytes.subarray(start, at) });
  }
  return values;
}
