/** What a try has shown. */
export interface Finding {
  /** A note is no failure, but somebody should know. */
  verdict: 'pass' | 'note' | 'FAIL';
  what: string;
  /** For people: what was found, and what to do about it. */
  says: string;
}

/** It works. */
export function pass(what: string, says: string): Finding {
  return { verdict: 'pass', what, says };
}

/** It works, but. */
export function note(what: string, says: string): Finding {
  return { verdict: 'note', what, says };
}

/** It does not work. */
export function fail(what: string, says: string): Finding {
  return { verdict: 'FAIL', what, says };
}

/** What an error on the way to a server means, and what to do. @param option names the server's address */
export function advise({ message }: Error, option: string): string {
  const known = ADVICE.find(({ when }) => when.test(message));
  return known ? `${message}: ${known.advice(option)}` : message;
}

const ADVICE: { when: RegExp; advice: (option: string) => string }[] = [
  {
    when: /ECONNREFUSED|refused/i,
    advice: (option) => `nothing listens there: start it, or correct ${option}`,
  },
  {
    when: /no answer within|timed? ?out|ETIMEDOUT|timeout/i,
    advice: () => 'is it running, and does a firewall or security group let us through?',
  },
  {
    when: /ENOTFOUND|EAI_AGAIN|getaddrinfo/,
    advice: (option) => `the name can't be resolved: correct ${option}, or the DNS`,
  },
  {
    when: /ECONNRESET|[Cc]losed/,
    advice: () => 'it closes the connection: is this really its port, and one without TLS?',
  },
  {
    when: /EHOSTUNREACH|ENETUNREACH/,
    advice: () => 'there is no route to it',
  },
  {
    when: /certificate|CERT|SSL|TLS/,
    advice: (option) => `see ${option}-ca (who signed it), ${option}-certificate and ${option}-key`,
  },
];
