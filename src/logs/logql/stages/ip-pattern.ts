/** The language of `ip("…")`: one address, a CIDR block, or a range `a-b`; IPv4 and IPv6. */

/** Addresses `first` to `last`, both included, of one family. */
export type IpRange = { readonly bits: 32 | 128; readonly first: bigint; readonly last: bigint }
type IpAddress = { readonly bits: 32 | 128; readonly value: bigint }

/** Undefined when `text` is none of the three forms. */
export function parseIpPattern(text: string): IpRange | undefined {
  if (text.includes('/')) return parseCidr(text)
  const [firstText = '', lastText = firstText, ...more] = text.split('-')
  const first = parseIpAddress(firstText.trim())
  const last = parseIpAddress(lastText.trim())
  if (!first || !last || more.length > 0 || first.bits !== last.bits || first.value > last.value) return undefined
  return { bits: first.bits, first: first.value, last: last.value }
}

export function ipPatternProblem(text: string): string | undefined {
  return parseIpPattern(text) === undefined ? `ip: invalid pattern: ${JSON.stringify(text)}` : undefined
}

function parseCidr(text: string): IpRange | undefined {
  const match = /^([^/]*)\/(0|[1-9]\d{0,2})$/.exec(text)
  const address = match ? parseIpAddress(match[1]!) : undefined
  const prefix = Number(match?.[2])
  if (!address || prefix > address.bits) return undefined
  const host = (1n << BigInt(address.bits - prefix)) - 1n
  return { bits: address.bits, first: address.value & ~host, last: address.value | host }
}

/** `10.0.0.1`, `2001:db8::1`, `::ffff:10.0.0.1`; no leading zeros in IPv4, no zones. */
export function parseIpAddress(text: string): IpAddress | undefined {
  if (!text.includes(':')) {
    const value = parseIpv4(text)
    return value === undefined ? undefined : { bits: 32, value }
  }
  const value = parseIpv6(text)
  return value === undefined ? undefined : { bits: 128, value }
}

function parseIpv4(text: string): bigint | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  if (!match) return undefined
  let value = 0n
  for (const part of match.slice(1)) {
    if (Number(part) > 255 || (part.length > 1 && part.startsWith('0'))) return undefined
    value = (value << 8n) | BigInt(part)
  }
  return value
}

function parseIpv6(text: string): bigint | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = groups(halves[0]!, halves.length === 1)
  const tail = halves.length === 2 ? groups(halves[1]!, true) : []
  if (!head || !tail) return undefined
  const missing = 8 - head.length - tail.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  return [...head, ...Array<bigint>(missing).fill(0n), ...tail].reduce((value, group) => (value << 16n) | group, 0n)
}

/** 16-bit groups of one side of `::`; the last two may be written as an IPv4 address when the side ends the address. */
function groups(text: string, isEnd: boolean): bigint[] | undefined {
  if (text === '') return []
  const parts = text.split(':')
  const result: bigint[] = []
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      result.push(BigInt(`0x${part}`))
      continue
    }
    const ipv4 = isEnd && index === parts.length - 1 ? parseIpv4(part) : undefined
    if (ipv4 === undefined) return undefined
    result.push(ipv4 >> 16n, ipv4 & 0xffffn)
  }
  return result
}
