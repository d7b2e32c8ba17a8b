/** Go's layouts of times: the parts of the reference time Mon Jan 2 15:04:05 MST 2006, with what stands between them. */

export type LayoutPart = {
  readonly kind: 'literal' | 'field'
  /** Of a field, the spelling in the reference time. */
  readonly text: string
}

const MAX_LAYOUTS = 128
const MAX_LAYOUT_LENGTH = 256
const layouts = new Map<string, readonly LayoutPart[]>()

const field =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|002|0[1-6]|2006|__2|_2(?!006)|15|[12345]|PM|pm|[Z-]07:00:00|[Z-]070000|[Z-]07:00|[Z-]0700|[Z-]07|[.,]0+(?!\d)|[.,]9+(?!\d)/g

export function readLayout(layout: string): readonly LayoutPart[] {
  const known = layouts.get(layout)
  if (known) return known
  const parts: LayoutPart[] = []
  let at = 0
  for (const match of layout.matchAll(field)) {
    if (match.index > at) parts.push({ kind: 'literal', text: layout.slice(at, match.index) })
    parts.push({ kind: 'field', text: match[0] })
    at = match.index + match[0].length
  }
  if (at < layout.length) parts.push({ kind: 'literal', text: layout.slice(at) })
  if (layout.length > MAX_LAYOUT_LENGTH) return parts
  if (layouts.size >= MAX_LAYOUTS) layouts.clear()
  layouts.set(layout, parts)
  return parts
}

export const monthNames = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const
export const dayNames = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const
