import { bodyOf, idDigits, senders } from '../request.ts';

/** Requests with numbers of their own from `firstNumber` on: one template, in which only digits are written anew. */
export function requestMaker(to: {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly firstNumber: number;
}): () => Buffer {
  const body = Buffer.from(bodyOf(0));
  const head = `POST ${to.path} HTTP/1.1\r\nHost: ${to.host}:${to.port}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  const template = Buffer.concat([Buffer.from(head), body]);
  const senderAt = template.indexOf('"user-0000"') + '"user-'.length;
  const numberAt = template.indexOf(`"${'0'.repeat(idDigits)}_`) + 1;
  let number = to.firstNumber;
  return () => {
    number += 1;
    const request = Buffer.from(template);
    writeDigits(request, number % senders, senderAt + 4);
    writeDigits(request, number, numberAt + idDigits);
    return request;
  };
}

const zero = 48;

/** Writes `value` so that its last digit stands before `end`. */
function writeDigits(bytes: Buffer, value: number, end: number): void {
  let rest = value;
  for (let at = end - 1; rest > 0; at -= 1) {
    bytes[at] = zero + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}
