/** Finds IP addresses in text: the longest runs of characters that an address may have, which parse as one. */
import { parseIpAddress, type IpRange } from '#/logs/logql/stages/ip-pattern.ts'

const ipv4Runs = /[0-9.]+/g
const ipv6Runs = /[0-9a-fA-F:.]+/g
/** `255.255.255.255` and `ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255`. */
const MAX_IPV4 = 15
const MAX_IPV6 = 45

/** Whether an address in `text` is in `range`. */
export function containsIp(text: string, range: IpRange): boolean {
  const isIpv4 = range.bits === 32
  for (const [run] of text.matchAll(isIpv4 ? ipv4Runs : ipv6Runs)) {
    if (run.length < 2 || run.length > (isIpv4 ? MAX_IPV4 : MAX_IPV6)) continue
    const address = parseIpAddress(run)
    if (address && address.bits === range.bits && address.value >= range.first && address.value <= range.last)
      return true
  }
  return false
}
