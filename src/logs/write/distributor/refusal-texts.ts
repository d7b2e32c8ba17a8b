/** What clients are told about entries that were refused; the texts are Loki's. */
import { clip } from './grouped-errors.ts'
import type { Day } from '#/logs/model/day.ts'

export type Moment = { readonly day: Day; readonly time: number }

const ask = 'or contact your Loki administrator to'

export const refusalTexts = {
  tooOld: (stream: string, time: Moment, oldest: Moment): string =>
    `entry for stream '${clip(stream)}' has timestamp too old: ${goTime(time)}, oldest acceptable timestamp is: ${goTime(oldest)}`,
  tooNew: (stream: string, time: Moment): string =>
    `entry for stream '${clip(stream)}' has timestamp too new: ${goTime(time)}`,
  lineTooLong: (stream: string, length: number, limit: number): string =>
    `max entry size '${limit}' bytes exceeded for stream '${clip(stream)}' while adding an entry with length '${length}' bytes`,
  metadataDisallowed: (stream: string): string =>
    `stream '${clip(stream)}' includes structured metadata, but this feature is disallowed. Please see \`limits_config.allow_structured_metadata\` ${ask} enable it`,
  metadataTooLarge: (stream: string, size: number, limit: number): string =>
    `stream '${clip(stream)}' has structured metadata too large: '${size}' bytes, limit: '${limit}' bytes. Please see \`limits_config.max_structured_metadata_size\` ${ask} increase it`,
  metadataTooMany: (stream: string, count: number, limit: number): string =>
    `stream '${clip(stream)}' has too many structured metadata labels: '${count}', limit: '${limit}'. Please see \`limits_config.max_structured_metadata_entries_count\` ${ask} increase it`,
  rateLimited: (tenant: string, limit: number, lines: number, bytes: number): string =>
    `ingestion rate limit exceeded for user ${tenant} (limit: ${limit} bytes/sec) while attempting to ingest '${lines}' lines totaling '${bytes}' bytes, reduce log volume ${ask} see if the limit can be increased`,
}

/** Go's RFC 3339: UTC, whole seconds rounded down. */
export function goTime({ day, time }: Moment): string {
  return new Date(day * 86_400_000 + Math.floor(time / 1e9) * 1000).toISOString().replace('.000Z', 'Z')
}
