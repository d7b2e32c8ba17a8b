/** Undoes the escapes of JSON strings; log lines are forgiving, so this is too: control characters may stand as they are. */
const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

/** The text that `raw` (what stands between the quotes) means; undefined when an escape is wrong. Lone surrogates become U+FFFD. */
export function unescapeJson(raw: string): string | undefined {
  let text = ''
  let from = 0
  for (let at = raw.indexOf('\\'); at >= 0; at = raw.indexOf('\\', from)) {
    text += raw.slice(from, at)
    const letter = raw[at + 1] ?? ''
    if (letter === 'u') {
      const hex = raw.slice(at + 2, at + 6)
      if (!/^[0-9a-fA-F]{4}$/.test(hex)) return undefined
      text += String.fromCharCode(Number.parseInt(hex, 16))
      from = at + 6
      continue
    }
    const plain = Object.hasOwn(escapes, letter) ? escapes[letter] : undefined
    if (plain === undefined) return undefined
    text += plain
    from = at + 2
  }
  return from === 0 ? raw : (text + raw.slice(from)).toWellFormed()
}

/** As {@link unescapeJson} for quoted logfmt values, where `\'` is an escape too. */
export function unescapeLogfmt(raw: string): string | undefined {
  return unescapeJson(
    raw.includes("\\'") ? raw.replaceAll(/\\([^])/g, (pair, letter) => (letter === "'" ? "'" : pair)) : raw,
  )
}
