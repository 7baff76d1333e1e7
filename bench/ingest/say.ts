/** Tells whoever waits how far the run is; the result alone goes to standard output. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
