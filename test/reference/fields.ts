/** What follows the PRI. Each character of a string is one byte, as in the frame. */
export interface Content {
  timestamp?: string | undefined;
  hostname?: string | undefined;
  appname?: string | undefined;
  procid?: string | undefined;
  msgid?: string | undefined;
  structuredData?: Element[] | undefined;
  message?: string | undefined;
  error?: string | undefined;
}

/** What a message says. */
export interface Fields extends Content {
  facility: number;
  severity: number;
}

/** An element of structured data. Names may be there several times, in elements and parameters. */
export interface Element {
  id: string;
  parameters: [name: string, value: string][];
}

/** A field as it was sent; NILVALUE is an absent field. */
export function present(value: string | undefined): string | undefined {
  return value === '-' ? undefined : value;
}
