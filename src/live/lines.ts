/** Cuts a stream of text into lines. Promises that a line past `max` characters is refused before it fills the memory. */
import type { Socket } from 'node:net';

/** Calls `onLine` for each line without its end; it returns false to end the reading, as does a line that is too long. */
export function readLines(socket: Socket, max: number, onLine: (line: string) => boolean): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    const isGood = rest.length <= max && lines.every((line) => line.length <= max && onLine(line));
    if (isGood) return;
    rest = '';
    socket.removeAllListeners('data');
    socket.destroy();
  });
}
