import { wholeCharacters } from './utf8.ts';

/** A message as it lay in the stream, or a part of one. Each character of `text` is one byte. */
export interface Frame {
  text: string;
  /** 0 for a whole message, else 1, 2, … */
  part: number;
  /** How much of the message came, where the stream's end cut it off; at its last frame. */
  cutOff?: { promised: number; arrived: number };
}

/** RFC 6587 octet counting: a count, a space and the `<` of the PRI. Anything else is a line. */
const COUNT = /^([1-9]\d{0,8}) (?=<)/;

/** Cuts the bytes of a whole stream into frames. */
export function frames(stream: string, maxMessageBytes: number): Frame[] {
  const found: Frame[] = [];
  let rest = stream;
  while (rest !== '') {
    const count = COUNT.exec(rest);
    if (count === null) {
      const [line] = rest.split('\n', 1);
      rest = rest.slice(line.length + 1);
      found.push(...parts(line.replace(/\r$/, ''), maxMessageBytes));
    } else {
      const start = count[0].length;
      const promised = Number(count[1]);
      const text = rest.slice(start, start + promised);
      rest = rest.slice(start + promised);
      const pieces = parts(text, maxMessageBytes);
      if (text.length < promised) {
        pieces[pieces.length - 1].cutOff = { promised, arrived: text.length };
      }
      found.push(...pieces);
    }
  }
  return found;
}

/** A message that is too long goes out in parts; an empty one is none. */
function parts(message: string, maxBytes: number): Frame[] {
  if (message.length <= maxBytes) return message === '' ? [] : [{ text: message, part: 0 }];
  const pieces: Frame[] = [];
  for (let rest = message; rest !== ''; ) {
    const text = wholeCharacters(rest, maxBytes);
    pieces.push({ text, part: pieces.length + 1 });
    rest = rest.slice(text.length);
  }
  return pieces;
}
