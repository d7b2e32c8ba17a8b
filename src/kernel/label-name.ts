/** How names from logs become label names: `request.time (ms)` is `request_time__ms_`. */

/** Every rune outside [A-Za-z0-9_] as one `_`; blanks around are cut first. */
export function sanitizeNamePart(text: string): string {
  const trimmed = text.trim()
  return /^\w*$/.test(trimmed) ? trimmed : trimmed.replaceAll(/\W/gu, '_')
}

/** A label name may not begin with a digit. */
export function fixLeadingDigit(name: string): string {
  return /^[0-9]/.test(name) ? `_${name}` : name
}
