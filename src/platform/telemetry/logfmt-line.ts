/** Turns a log line in JSON into logfmt. */
const first = ['level', 'ts', 'caller', 'component', 'msg']

/** `{"level":"info","msg":"a b","n":1}` → `level=info msg="a b" n=1`, with the newline at its end. */
export function formatLogfmt(json: string): string {
  const fields = JSON.parse(json) as Record<string, unknown>
  const names = [
    ...first.filter((name) => name in fields),
    ...Object.keys(fields).filter((name) => !first.includes(name)),
  ]
  return `${names.map((name) => `${formatKey(name)}=${formatValue(fields[name])}`).join(' ')}\n`
}

function formatKey(name: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are not allowed in keys
  return name.replace(/[\u0000-\u0020="\u007f]/g, '_')
}

/** Plain, or quoted with JSON's escapes when it is empty or holds blanks, quotes, `=` or control characters. */
function formatValue(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  // eslint-disable-next-line no-control-regex -- control characters need quotes
  return /^[^\u0000-\u0020="\\\u007f]+$/.test(text) ? text : JSON.stringify(text)
}
