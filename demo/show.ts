const color = process.stdout.isTTY && !process.env.NO_COLOR;
const paint = (code: number) => (text: string) => (color ? `\x1b[${code}m${text}\x1b[0m` : text);
const bold = paint(1);
const dim = paint(2);
const cyan = paint(36);

const LONGEST = 100;

/** One step of the demo. */
export function say(text: string): void {
  console.log(`${cyan('•')} ${text}`);
}

/** A sample that is about to be sent. */
export function showSample(title: string, message: string): void {
  console.log(`\n${bold(title)}\n  ${dim('sent')}      ${shorten(message)}`);
}

/** A document as a consumer reads it. */
export function showDocument(json: string): void {
  const pretty = JSON.stringify(JSON.parse(json), shortenStrings, 2);
  const [first, ...rest] = pretty.split('\n');
  const indented = [first, ...rest.map((line) => `            ${line}`)].join('\n');
  console.log(`  ${dim('document')}  ${indented}`);
}

const shortenStrings = (_name: string, value: unknown) =>
  typeof value === 'string' ? shorten(value) : value;

function shorten(text: string): string {
  if (text.length <= LONGEST) return text;
  return `${text.slice(0, LONGEST)}… (${text.length.toLocaleString('en-US')} characters)`;
}
