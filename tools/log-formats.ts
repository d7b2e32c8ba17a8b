/**
 * Log lines as real programs write them, from a seeded source of chance. Each format makes one line for a moment in time; the
 * level that it gives is the one that the program meant. Ids recur as they do in life: a trace has several lines, a pod many.
 */
import { Chance } from './chance.ts'
import { kafka, login, monitoring, noise, redis, wide } from './infra-formats.ts'
import { clockOf, type Format, ip, iso, type Level, levelOf, months, pad, users } from './line-parts.ts'

export { Chance, type Format }

const paths = ['/api/v1/orders', '/api/v1/cart', '/api/v1/users/me', '/healthz', '/static/app.js', '/login', '/search']
const agents = ['Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', 'curl/8.5.0', 'kube-probe/1.31', 'okhttp/4.12.0']
const failures = [
  'upstream request timeout',
  'connection refused by peer',
  'context deadline exceeded',
  'too many open connections',
  'invalid session token',
]
const deeds = [
  'order placed',
  'cache refreshed',
  'session renewed',
  'payment authorised',
  'message published',
  'job done',
]
const grpcCodes = ['DEADLINE_EXCEEDED', 'UNAVAILABLE', 'INTERNAL', 'RESOURCE_EXHAUSTED']
const pods = 400

function statusFor(chance: Chance, level: Level): number {
  if (level === 'error') return chance.pick([500, 502, 503, 504])
  return level === 'warn' ? chance.pick([400, 401, 403, 404, 429]) : chance.pick([200, 200, 200, 201, 204, 304])
}

const messageFor = (chance: Chance, level: Level): string =>
  level === 'error' || level === 'warn' ? chance.pick(failures) : chance.pick(deeds)

const nginx: Format = (chance, ms) => {
  const level = levelOf(chance)
  const status = statusFor(chance, level)
  const { day, month, year, hms } = clockOf(ms)
  const request = `${chance.pick(['GET', 'GET', 'GET', 'POST', 'PUT'])} ${chance.pick(paths)}?id=${chance.below(1e6)}`
  const size = chance.skewed(2400)
  const seconds = (chance.skewed(40) / 1000).toFixed(3)
  const text = `${ip(chance)} - - [${pad(day)}/${months[month]}/${year}:${hms} +0000] "${request} HTTP/1.1" ${status} ${size} "-" "${chance.pick(agents)}" ${seconds}`
  return { text, level: 'info', status }
}

const logfmt: Format = (chance, ms) => {
  const level = levelOf(chance)
  const traceId = chance.trace()
  const user = `u-${chance.popular(users)}`
  const place = `${chance.pick(['handler', 'store', 'worker', 'client'])}.go:${chance.below(400)}`
  const text = `ts=${iso(ms)} caller=${place} level=${level} msg="${messageFor(chance, level)}" user=${user} duration=${chance.skewed(35)}ms bytes=${chance.skewed(900)} traceID=${traceId}`
  return { text, level, traceId, user }
}

const json: Format = (chance, ms) => {
  const level = levelOf(chance)
  const status = statusFor(chance, level)
  const latencyMs = chance.skewed(30)
  const user = `u-${chance.popular(users)}`
  const traceId = chance.trace()
  const text = JSON.stringify({
    time: iso(ms),
    level,
    msg: messageFor(chance, level),
    status,
    latency_ms: latencyMs,
    request: { method: chance.pick(['GET', 'POST']), path: chance.pick(paths), remote: ip(chance) },
    user: { id: user, plan: chance.pick(['free', 'pro', 'team']) },
    trace_id: traceId,
  })
  return { text, level, status, latencyMs, traceId, user }
}

const syslog: Format = (chance, ms) => {
  const { day, month, hms } = clockOf(ms)
  const head = `${months[month]} ${String(day).padStart(2)} ${hms} node-${chance.below(12)}`
  const dice = chance.next()
  if (dice < 0.4) {
    const who = `${chance.pick(['root', 'deploy', 'admin', 'git'])} from ${ip(chance)} port ${1024 + chance.below(60000)} ssh2`
    const fine = chance.next() < 0.3
    return {
      text: `${head} sshd[${chance.below(40000)}]: ${fine ? 'Accepted publickey' : 'Failed password'} for ${who}`,
      level: 'info',
    }
  }
  if (dice < 0.7) {
    const seconds = `${chance.below(1e6)}.${pad(chance.below(1e6), 6)}`
    return { text: `${head} kernel: [${seconds}] eth0: renamed from veth${chance.hex(7)}`, level: 'info' }
  }
  return {
    text: `${head} systemd[1]: Started session-${chance.below(90000)}.scope - Session of user deploy.`,
    level: 'info',
  }
}

const java: Format = (chance, ms) => {
  const level = levelOf(chance)
  const stamp = iso(ms).replace('T', ' ').replace('.', ',').slice(0, 23)
  const thread = `http-nio-8080-exec-${chance.below(50)}`
  const head = `${stamp} ${level.toUpperCase().padEnd(5)} [${thread}] c.e.shop.${chance.pick(['Order', 'Stock', 'Price'])}Service`
  if (level !== 'error') return { text: `${head} - ${messageFor(chance, level)} in ${chance.skewed(25)} ms`, level }
  const frames = Array.from(
    { length: 4 + chance.below(12) },
    (_, index) => `\\tat com.example.shop.Layer${index}.call(Layer${index}.java:${chance.below(300)})`,
  )
  // container runtimes hand a stack trace on as one line with escaped breaks
  return {
    text: `${head} - ${chance.pick(failures)}\\njava.lang.IllegalStateException: order ${chance.below(1e6)}\\n${frames.join('\\n')}`,
    level,
  }
}

const postgres: Format = (chance, ms) => {
  const stamp = `${iso(ms).replace('T', ' ').slice(0, 23)} UTC [${chance.below(30000)}]`
  const dice = chance.next()
  if (dice < 0.02) return { text: `${stamp} ERROR:  deadlock detected`, level: 'error' }
  if (dice < 0.5) {
    const took = `${chance.skewed(12)}.${pad(chance.below(1000), 3)}`
    return {
      text: `${stamp} LOG:  duration: ${took} ms  statement: SELECT * FROM orders WHERE id = ${chance.below(1e6)}`,
      level: 'info',
    }
  }
  return {
    text: `${stamp} LOG:  checkpoint complete: wrote ${chance.below(9000)} buffers (${(chance.next() * 40).toFixed(1)}%)`,
    level: 'info',
  }
}

/** Ids of the pods that a kubelet speaks of; few, as a node has few. */
const podIds = ((chance) => Array.from({ length: pods }, () => `${chance.hex(9)}-${chance.hex(5)}`))(new Chance(77))

const klog: Format = (chance, ms) => {
  const level = levelOf(chance)
  const { day, month, hms } = clockOf(ms)
  const letter = level === 'error' ? 'E' : level === 'warn' ? 'W' : 'I'
  const head = `${letter}${pad(month + 1)}${pad(day)} ${hms}.${pad(chance.below(1e6), 6)} ${String(chance.below(30)).padStart(7)}`
  const pod = `pod="shop/web-${podIds[chance.popular(pods)]}"`
  return {
    text: `${head} kubelet.go:${chance.below(2500)}] "${messageFor(chance, level)}" ${pod} containerName="web"`,
    level,
  }
}

const rust: Format = (chance, ms) => {
  const level = levelOf(chance)
  const code = level === 'error' ? ` code=${chance.pick(grpcCodes)}` : ''
  const text = `${iso(ms)} ${level.toUpperCase().padStart(5)} gateway::proxy: ${messageFor(chance, level)}${code} peer=${ip(chance)}:${chance.below(65536)} elapsed=${chance.skewed(180)}µs`
  return { text, level, traceId: chance.trace() }
}

const plain: Format = (chance, ms) => {
  const level = levelOf(chance)
  return { text: `[${iso(ms)}] ${messageFor(chance, level)} #${chance.below(1e6)} (${chance.skewed(20)} rows)`, level }
}

/** By the name of the format. */
export const formats: Readonly<Record<string, Format>> = {
  nginx,
  logfmt,
  json,
  syslog,
  java,
  postgres,
  klog,
  rust,
  plain,
  kafka,
  redis,
  login,
  monitoring,
}

/** Not like other logs: 200 fields in a line, and random characters. */
export const extremes: Readonly<Record<string, Format>> = { wide, noise }
