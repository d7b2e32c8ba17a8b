/** Log lines of brokers, caches, logins and monitoring, and two extremes: JSON with 200 fields, and noise. */
import type { Chance } from './chance.ts'
import { clockOf, type Format, ip, iso, levelOf, months, pad, users } from './line-parts.ts'

const topics = ['orders', 'payments', 'audit-events', 'inventory', 'clickstream', 'emails']
const partitions = 24

export const kafka: Format = (chance, ms) => {
  const level = levelOf(chance)
  const head = `[${iso(ms).replace('T', ' ').replace('.', ',').slice(0, 23)}] ${level === 'debug' ? 'DEBUG' : level.toUpperCase()}`
  const partition = `${chance.pick(topics)}-${chance.below(partitions)}`
  if (level === 'error' || level === 'warn') {
    const text = `${head} [ReplicaFetcher replicaId=${chance.below(3)}, leaderId=${chance.below(3)}, fetcherId=0] Connection to node ${chance.below(3)} could not be established for partition ${partition}. Broker may not be available.`
    return { text: `${text} (org.apache.kafka.clients.NetworkClient)`, level }
  }
  const offset = 40_000_000 + Math.floor((ms % 86_400_000) / 50) + chance.below(500)
  const text = chance.pick([
    `[GroupCoordinator ${chance.below(3)}]: Stabilized group ${chance.pick(topics)}-consumer generation ${chance.below(900)} with ${1 + chance.below(12)} members (kafka.coordinator.group.GroupCoordinator)`,
    `[Log partition=${partition}, dir=/var/lib/kafka] Rolled new log segment at offset ${offset} in ${chance.skewed(4)} ms. (kafka.log.Log)`,
    `[ProducerStateManager partition=${partition}] Wrote producer snapshot at offset ${offset} with ${chance.below(30)} producer ids. (kafka.log.ProducerStateManager)`,
  ])
  return { text: `${head} ${text}`, level }
}

export const redis: Format = (chance, ms) => {
  const { day, month, year, hms } = clockOf(ms)
  const head = `${1 + chance.below(3)}:M ${pad(day)} ${months[month]} ${year} ${hms}.${pad(ms % 1000, 3)}`
  const dice = chance.next()
  if (dice < 0.03)
    return { text: `${head} # WARNING: OOM command not allowed when used memory > 'maxmemory'.`, level: 'warn' }
  const text = chance.pick([
    `* ${chance.pick([100, 1000, 10_000])} changes in ${chance.pick([60, 300])} seconds. Saving...`,
    `* Background saving started by pid ${chance.below(32_000)}`,
    '* DB saved on disk',
    `- DB 0: ${900_000 + chance.below(4000)} keys (${870_000 + chance.below(4000)} volatile) in 2097152 slots HT.`,
    `- ${40 + chance.below(30)} clients connected (2 replicas), ${600_000_000 + chance.below(9_000_000)} bytes in use`,
    `- Accepted ${ip(chance)}:${chance.below(65_536)}`,
  ])
  return { text: `${head} ${text}`, level: text.startsWith('-') ? 'debug' : 'info' }
}

const reasons = ['bad password', 'unknown account', 'token expired', 'second factor missing']

export const login: Format = (chance, ms) => {
  const denied = chance.next() < 0.08
  const level = denied ? 'warn' : 'info'
  const stamp = iso(ms).replace('T', ' ').replace('.', ',').slice(0, 23)
  const user = `u-${chance.popular(users)}`
  const who = `${user}@example.com`
  const outcome = denied
    ? `access denied for ${who}: ${chance.pick(reasons)}`
    : `session opened for ${who} by ${chance.pick(['password', 'sso', 'passkey'])}`
  return {
    text: `${stamp} [${level.toUpperCase()}] identity.${chance.pick(['login', 'refresh', 'consent'])} (worker-${chance.below(8)}): ${outcome} from ${ip(chance)} in ${chance.skewed(60)}ms`,
    level,
    user,
  }
}

export const monitoring: Format = (chance, ms) => {
  const level = levelOf(chance)
  const head = `ts=${iso(ms)} caller=${chance.pick(['head.go:842', 'compact.go:519', 'manager.go:1009', 'scrape.go:1307', 'db.go:1619'])} level=${level}`
  if (level === 'error' || level === 'warn') {
    const target = `http://${ip(chance)}:9100/metrics`
    return {
      text: `${head} component="scrape manager" scrape_pool=node msg="Scrape failed" target=${target} err="context deadline exceeded"`,
      level,
    }
  }
  const text = chance.pick([
    `component=tsdb msg="Head GC completed" caller=truncateMemory duration=${chance.skewed(40)}ms`,
    `component=tsdb msg="WAL checkpoint complete" first=${chance.below(4000)} last=${chance.below(4000)} duration=${chance.skewed(900)}ms`,
    `component="rule manager" group=${chance.pick(['node', 'kube', 'slo'])} msg="Evaluated rules" rules=${chance.below(60)} duration=${chance.skewed(12)}ms`,
  ])
  return { text: `${head} ${text}`, level }
}

const wideWords = ['alpha', 'blue', 'default', 'eu-west-1', 'standard', 'online', 'mobile', 'web', 'gold', 'none']

/** 200 fields: a third each of numbers, words and booleans that seldom change; one id. */
export const wide: Format = (chance, ms) => {
  const level = levelOf(chance)
  const status = level === 'error' ? 500 + chance.below(4) : 200
  const latencyMs = chance.skewed(30)
  const parts = [`{"time":"${iso(ms)}","level":"${level}","status":${status},"latency_ms":${latencyMs}`]
  parts.push(
    `,"msg":"request ${level === 'error' ? 'failed: context deadline exceeded' : 'served'}","request_id":"${chance.hex(16)}"`,
  )
  for (let field = 6; field < 200; field++) {
    const kind = field % 3
    parts.push(`,"attr_${field}":`)
    if (kind === 0) parts.push(String(chance.skewed(field * 10)))
    else if (kind === 1) parts.push(`"${wideWords[chance.popular(wideWords.length)]}"`)
    else parts.push(chance.next() < 0.95 ? 'true' : 'false')
  }
  return { text: `${parts.join('')}}`, level, status, latencyMs }
}

const noiseCharacters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** Nothing that a codec, a dictionary or a template could use. */
export const noise: Format = (chance: Chance) => {
  let text = ''
  for (let piece = 0; piece < 40; piece++) {
    let bits = chance.below(2 ** 30)
    for (let digit = 0; digit < 5; digit++, bits >>>= 6) text += noiseCharacters[bits & 63]
  }
  return { text, level: 'info' }
}
