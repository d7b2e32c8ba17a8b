/** The data sets of the benchmark, one line of a table each. */

export type App = {
  readonly app: string
  /** A name in `formats` or `extremes`. */
  readonly format: string
  readonly namespace: string
  /** Parts of all lines. */
  readonly share: number
  /** Share of its lines whose structured metadata names the user. */
  readonly userShare?: number
}

export type Profile = {
  readonly about: string
  readonly streams: number
  /** Size that the benchmark takes by default, MB of lines. */
  readonly mb: number
  /** A little less than the average, so that the last line is not in the future. */
  readonly bytesPerLine: number
  readonly apps: readonly App[]
  /** Nodes that the lines' structured metadata speak of; 0: it does not. */
  readonly nodes: number
}

/** A shop: what its users touch writes most. */
const shop: readonly App[] = [
  { app: 'edge', format: 'nginx', namespace: 'ingress', share: 20, userShare: 0.3 },
  { app: 'checkout', format: 'logfmt', namespace: 'shop', share: 14, userShare: 0.5 },
  { app: 'payments', format: 'json', namespace: 'shop', share: 14, userShare: 0.5 },
  { app: 'catalog', format: 'json', namespace: 'shop', share: 7 },
  { app: 'hosts', format: 'syslog', namespace: 'system', share: 5 },
  { app: 'orders', format: 'java', namespace: 'shop', share: 9 },
  { app: 'database', format: 'postgres', namespace: 'data', share: 5 },
  { app: 'kubelet', format: 'klog', namespace: 'system', share: 5 },
  { app: 'gateway', format: 'rust', namespace: 'ingress', share: 6 },
  { app: 'reports', format: 'plain', namespace: 'data', share: 4 },
  { app: 'broker', format: 'kafka', namespace: 'data', share: 4 },
  { app: 'cache', format: 'redis', namespace: 'data', share: 2 },
  { app: 'login', format: 'login', namespace: 'identity', share: 3, userShare: 0.8 },
  { app: 'monitor', format: 'monitoring', namespace: 'system', share: 2 },
]
const one = (format: string): readonly App[] => [{ app: 'payments', format, namespace: 'shop', share: 1 }]

/** By name. */
export const profiles = {
  S: { about: '13 formats', streams: 250, mb: 600, bytesPerLine: 150, apps: shop, nodes: 0 },
  K: { about: '5,000 pods on 200 nodes', streams: 5_000, mb: 600, bytesPerLine: 150, apps: shop, nodes: 200 },
  H: { about: '100,000 tiny streams', streams: 100_000, mb: 100, bytesPerLine: 150, apps: shop, nodes: 0 },
  W: { about: 'JSON with 200 fields', streams: 20, mb: 300, bytesPerLine: 3_300, apps: one('wide'), nodes: 0 },
  N: { about: 'noise', streams: 20, mb: 300, bytesPerLine: 198, apps: one('noise'), nodes: 0 },
} as const satisfies Readonly<Record<string, Profile>>

export type ProfileName = keyof typeof profiles

export function profileOf(name: string): Profile {
  const profile: Profile | undefined = (profiles as Readonly<Record<string, Profile>>)[name]
  if (profile === undefined) throw new Error(`no data set ${name}; there are ${Object.keys(profiles).join(', ')}`)
  return profile
}
