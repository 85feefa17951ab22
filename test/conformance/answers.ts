/** An answer as it came over HTTP. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

const HEAD = /^HTTP\/1\.1 (\d{3})[^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n/;

/** The answers in what a connection has brought; none has a body where `isHead`. */
export function parseAnswers(text: string, isHead = false): Answer[] {
  const answers: Answer[] = [];
  for (let rest = text; rest !== ''; ) {
    const [head, status, lines] = rest.match(HEAD) ?? [];
    if (head === undefined || lines === undefined)
      throw new Error(`no answer: ${rest.slice(0, 200)}`);
    const headers = Object.fromEntries(
      lines
        .split('\r\n')
        .slice(0, -1)
        .map((line) => [
          line.slice(0, line.indexOf(':')).toLowerCase(),
          line.replace(/^.*?: */, ''),
        ]),
    );
    const end = head.length + (isHead ? 0 : Number(headers['content-length'] ?? 0));
    answers.push({ status: Number(status), headers, body: rest.slice(head.length, end) });
    rest = rest.slice(end);
  }
  return answers;
}
