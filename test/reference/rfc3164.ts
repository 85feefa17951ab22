import { type Content, type Element, present } from './fields.ts';
import { localTimestamp } from './timestamp.ts';

const HOSTNAME = '[A-Za-z0-9.:%_\\x80-\\xff-]+';

/** Before the timestamp: Cisco's sequence number, and its host name behind that. */
const CISCO = [
  /^/,
  /^(?<sequenceId>\d+): /,
  RegExp(`^(?<sequenceId>\\d+): (?<host>${HOSTNAME}): `),
];
/** Cisco's mark for a clock that is not sure. */
const UNSYNCED = /^[*.]/;

const HOSTNAME_TOKEN = RegExp(`^(${HOSTNAME})(?: |$)`);
const IPV6 = /^[\dA-Fa-f]*:[\dA-Fa-f]*:[\dA-Fa-f:]*$/;

/** A name, and not the first word of a sentence. */
const APPNAME = `(?!:)([^\\0- "',=[\\]\\x7f]{1,128})`;
const TAGS = [
  RegExp(`^${APPNAME}:(?: |$)`),
  RegExp(`^${APPNAME}\\[([^ [\\]]{1,128})\\]: ?`),
  RegExp(`^${APPNAME}\\[(\\d{1,128})\\](?: |$)`),
];

/**
 * Reads RFC 3164 and what resembles it: what is not there is not missed.
 * `text` is what follows the PRI.
 */
export function rfc3164(text: string, now: number): Content {
  for (const prefix of CISCO) {
    const match = prefix.exec(text);
    if (match === null) continue;
    const { sequenceId, host } = match.groups ?? {};
    const marked = text.slice(match[0].length);
    const unmarked = marked.replace(UNSYNCED, '');
    const time = localTimestamp(unmarked, now);
    if (time === undefined) continue;

    const rest = unmarked.slice(time.length);
    const isNameless = rest.startsWith(':');
    const content = rest.replace(/^:? ?/, '');
    return {
      timestamp: time.timestamp,
      hostname: present(host),
      structuredData: ciscoData(sequenceId, marked !== unmarked),
      ...(host || isNameless ? withTag(content) : withHostname(content)),
    };
  }
  return withTag(text);
}

function ciscoData(sequenceId: string | undefined, isUnsynced: boolean): Element[] | undefined {
  const elements: Element[] = [];
  if (sequenceId) elements.push({ id: 'meta', parameters: [['sequenceId', sequenceId]] });
  if (isUnsynced) elements.push({ id: 'timeQuality', parameters: [['isSynced', '0']] });
  return elements.length > 0 ? elements : undefined;
}

/** A word that ends in a colon is no host name but a tag, unless it is an IPv6 address. */
function withHostname(text: string): Content {
  const [token, hostname] = HOSTNAME_TOKEN.exec(text) ?? ['', ''];
  if (hostname === '' || (hostname.endsWith(':') && !IPV6.test(hostname))) return withTag(text);
  return { hostname: present(hostname), ...withTag(text.slice(token.length)) };
}

/** `app: `, `app[123]:` or `app[123] `. */
function withTag(text: string): Content {
  for (const tag of TAGS) {
    const match = tag.exec(text);
    if (match === null) continue;
    return { appname: match[1], procid: match[2], message: text.slice(match[0].length) };
  }
  return { message: text };
}
