/** Aligned tables, and plain data as indented text. */

/** Columns are as wide as their widest cell; numbers stand right. The last column is not padded. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows]
  const widths = header.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)))
  const numeric = header.map(
    (_, column) => rows.length > 0 && rows.every((row) => /^[-+]?[\d.,]*$/.test(row[column] ?? '')),
  )
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (numeric[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd()
  return all.map((row) => `${line(row)}\n`).join('')
}

/** Names and values below each other, lists of records as tables, nested records indented. */
export function describe(value: unknown, indent = ''): string {
  if (!isRecord(value)) return `${indent}${cellOf(value)}\n`
  const entries = Object.entries(value).filter(([, one]) => one !== undefined)
  const simple = entries.filter(([, one]) => !isNested(one))
  const width = simple.reduce((most, [name]) => Math.max(most, name.length), 0)
  let text = simple.map(([name, one]) => `${indent}${name.padEnd(width)}  ${cellOf(one)}\n`).join('')
  for (const [name, one] of entries.filter(([, nested]) => isNested(nested))) {
    const title = Array.isArray(one) ? `${name} (${one.length})` : name
    text += `\n${indent}${title}\n${Array.isArray(one) ? describeList(one, `${indent}  `) : describe(one, `${indent}  `)}`
  }
  return text
}

function describeList(list: readonly unknown[], indent: string): string {
  if (!list.every(isRecord)) return list.map((one) => `${indent}${cellOf(one)}\n`).join('')
  if (list.some((one) => Object.values(one).some(isNested))) {
    return list.map((one) => describe(one, indent)).join('\n')
  }
  const header = [...new Set(list.flatMap((one) => Object.keys(one)))]
  const rows = list.map((one) => header.map((name) => cellOf(one[name])))
  return table(header, rows)
    .split('\n')
    .map((row) => (row === '' ? '' : `${indent}${row}`))
    .join('\n')
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value)

/** A value that needs lines of its own. */
const isNested = (value: unknown): boolean =>
  (isRecord(value) && Object.keys(value).length > 0) || (Array.isArray(value) && value.length > 0)

function cellOf(value: unknown): string {
  if (value === undefined || value === null) return '-'
  if (Array.isArray(value)) return 'none'
  if (typeof value === 'string') return value
  return typeof value === 'bigint' ? `${value}` : JSON.stringify(value)
}

/** JSON of plain data with bigints as decimal texts. */
export function jsonText(value: unknown): string {
  const plain = (_key: string, one: unknown): unknown => (typeof one === 'bigint' ? String(one) : one)
  return `${JSON.stringify(value, plain, 2)}\n`
}
