import { readFileSync } from 'node:fs';

export interface QueueStatistics {
  /** Messages that came to the queue since the start, without those it found on disk. */
  received: number;
  /** Messages in memory and on disk that are not sent. */
  queued: number;
}

/** What impstats wrote about the forwarding action's queue, one entry for each second. */
export function queueStatistics(path: string): QueueStatistics[] {
  const entries: QueueStatistics[] = [];
  let onDisk = 0;
  const lines = readFileSync(path, 'utf8').split('\n');
  // The last line may be half written.
  for (const line of lines.slice(0, -1)) {
    if (!line.includes('"forward queue')) continue;
    const { name, size, enqueued } = JSON.parse(line.slice(line.indexOf('{')));
    if (name === 'forward queue[DA]') onDisk = size;
    else entries.push({ received: enqueued, queued: onDisk + size });
  }
  return entries;
}
