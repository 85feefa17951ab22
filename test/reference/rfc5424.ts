import { type Content, type Element, present } from './fields.ts';
import { isRfc3339 } from './timestamp.ts';

const HEADER = ['TIMESTAMP', 'HOSTNAME', 'APP-NAME', 'PROCID', 'MSGID'];

/** Of any length, and not only of ASCII characters. */
const NAME = '[^\\0- ="\\]\\x7f]+';
/** A backslash keeps a quote from ending the value. */
const VALUE = '[^"\\\\]*(?:\\\\[^][^"\\\\]*)*';
const PARAMETER = ` +(${NAME})="(${VALUE})"`;
const ELEMENT = `\\[(${NAME})((?:${PARAMETER})*)\\]`;
const STRUCTURED_DATA = new RegExp(`^(?:-|(?:${ELEMENT})+)(?= |$)`);

/**
 * Reads RFC 5424 of version 1: what can't be read is the message, with an error.
 * `body` is what follows the PRI, and `column` where in the frame it begins.
 */
export function rfc5424(body: string, column: number): Content {
  const end = column + body.length;
  const failure = (what: string, rest: string) =>
    `RFC 5424: ${what} expected at column ${end - rest.length}`;

  const header: string[] = [];
  let rest = body.slice('1 '.length);
  for (const name of HEADER) {
    const [value] = rest.split(' ', 1);
    const valid = name === 'TIMESTAMP' ? value === '-' || isRfc3339(value) : value !== '';
    if (!valid) return { message: body, error: failure(name, rest) };
    header.push(value);
    rest = rest.slice(value.length + 1);
  }

  const [timestamp, hostname, appname, procid, msgid] = header.map(present);
  const fields = { timestamp, hostname, appname, procid, msgid };
  const data = STRUCTURED_DATA.exec(rest)?.[0];
  if (data === undefined) {
    return { ...fields, message: rest, error: failure('STRUCTURED-DATA', rest) };
  }
  return {
    ...fields,
    structuredData: data === '-' ? undefined : elements(data),
    message: rest === data ? undefined : rest.slice(data.length + 1).replace(/^\xef\xbb\xbf/, ''),
  };
}

/** Some senders leave out the version. Without it nothing may be wrong, or look like a TAG. */
export function rfc5424WithoutVersion(text: string): Content | undefined {
  const fields = rfc5424(`1 ${text}`, 1);
  const isComplete = fields.error === undefined && fields.timestamp !== undefined;
  return isComplete && !fields.appname?.endsWith(':') ? fields : undefined;
}

function elements(data: string): Element[] {
  return [...data.matchAll(new RegExp(ELEMENT, 'g'))].map(([, id, parameters]) => ({
    id,
    parameters: [...parameters.matchAll(new RegExp(PARAMETER, 'g'))].map(([, name, value]) => [
      name,
      value.replace(/\\(["\\\]])/g, '$1'),
    ]),
  }));
}
