/** IP addresses in text, and the patterns of `ip("…")`: one address, a block, or a range. */

type Address = { readonly family: 4 | 6; readonly number: bigint }

/** Whether the text has an address that the pattern covers. */
export function hasIp(text: string, pattern: string): boolean {
  const [first, last] = bounds(pattern)
  return candidates(text, first.family).some((candidate) => {
    const address = parseAddress(candidate)
    return (
      address !== undefined &&
      address.family === first.family &&
      address.number >= first.number &&
      address.number <= last.number
    )
  })
}

/** A candidate starts where a digit has a dot (v6: a hexadecimal digit or colon has a colon) soon behind it. */
function candidates(text: string, family: 4 | 6): string[] {
  const [hint, run] = family === 4 ? [/^\d.{0,2}\./s, /^[\d.]+/] : [/^[\da-fA-F:].{0,3}:/s, /^[\da-fA-F:.]+/]
  const found: string[] = []
  for (let at = 0; at < text.length;) {
    const rest = text.slice(at)
    const candidate = hint.test(rest) ? (run.exec(rest)?.[0] ?? '') : ''
    if (candidate !== '') found.push(candidate)
    at += Math.max(1, candidate.length)
  }
  return found
}

function bounds(pattern: string): readonly [Address, Address] {
  const [text = '', prefix] = pattern.split('/')
  if (prefix !== undefined) {
    const address = certain(text)
    const hostBits = BigInt((address.family === 4 ? 32 : 128) - Number(prefix))
    const first = (address.number >> hostBits) << hostBits
    return [
      { ...address, number: first },
      { ...address, number: first + (1n << hostBits) - 1n },
    ]
  }
  const [first = '', last = first] = pattern.split('-')
  return [certain(first), certain(last)]
}

function certain(text: string): Address {
  const address = parseAddress(text.trim())
  if (address === undefined) throw new Error(`${text} is no address`)
  return address
}

function parseAddress(text: string): Address | undefined {
  if (/^\d+(\.\d+){3}$/.test(text)) {
    const parts = text.split('.')
    if (parts.some((part) => Number(part) > 255 || (part.length > 1 && part.startsWith('0')))) return undefined
    return { family: 4, number: parts.reduce((number, part) => number * 256n + BigInt(part), 0n) }
  }
  if (!text.includes(':') || text.split('::').length > 2 || text.includes(':::')) return undefined
  const [head = [], tail] = text.split('::').map((half) => (half === '' ? [] : half.split(':')))
  const missing = tail === undefined ? 0 : 8 - head.length - tail.length
  const groups = [...head, ...Array<string>(Math.max(missing, 0)).fill('0'), ...(tail ?? [])]
  const isShort = tail === undefined || missing > 0
  if (!isShort || groups.length !== 8 || !groups.every((group) => /^[\da-fA-F]{1,4}$/.test(group))) return undefined
  return { family: 6, number: groups.reduce((number, group) => number * 65_536n + BigInt(`0x${group}`), 0n) }
}
