/** Names of the columns of a log page. */
export const COLUMN_STREAM = 'stream'
export const COLUMN_TIME = 'time'
export const COLUMN_LENGTH = 'length'
export const COLUMN_LINE = 'line'
const META_PREFIX = 'meta:'

export function metaColumn(name: string): string {
  return META_PREFIX + name
}

/** The metadata name of a column; undefined for the others. */
export function metaNameOf(column: string): string | undefined {
  return column.startsWith(META_PREFIX) ? column.slice(META_PREFIX.length) : undefined
}
