/** Where the alerts and samples of a tenant go: to the receivers of all tenants, unless the tenant's limits name its own. */
import type { Logger } from '#/platform/telemetry/logger.ts'
import type { AlertmanagerAddress } from './notify/notifier.ts'
import { parseRelabelRules, type RelabelRule } from './notify/relabel.ts'
import type { Receiver } from './send/send-queue.ts'
import { parseWriteClients } from './write/write-clients.ts'

/** Of a tenant. As long as they do not change, the same object comes back. */
export type ReceiverLimits = {
  readonly ruler_remote_write_disabled: boolean
  /** Name → client; takes the place of the client of that name. */
  readonly ruler_remote_write_config: Readonly<Record<string, unknown>>
  /** `alertmanager_url` and `alert_relabel_configs` take the place of those of all tenants. */
  readonly ruler_alertmanager_config: Readonly<Record<string, unknown>>
}

export type Receivers = {
  readonly alertmanagers: readonly AlertmanagerAddress[]
  readonly alertRelabels: readonly RelabelRule[]
  readonly clients: readonly Receiver[]
}

export function tenantReceivers(
  shared: Receivers,
  limitsOf: (tenant: string) => ReceiverLimits,
  logger: Logger,
): (tenant: string) => Receivers {
  const known = new WeakMap<ReceiverLimits, Receivers>()
  return (tenant) => {
    const limits = limitsOf(tenant)
    let receivers = known.get(limits)
    if (receivers === undefined) {
      receivers = {
        alertmanagers: orShared(shared.alertmanagers, () => ownAlertmanagers(limits), logger.with({ tenant })),
        alertRelabels: orShared(shared.alertRelabels, () => ownRelabels(limits), logger.with({ tenant })),
        clients: limits.ruler_remote_write_disabled
          ? []
          : withOwn(
              shared.clients,
              orShared([], () => ownClients(limits), logger.with({ tenant })),
            ),
      }
      known.set(limits, receivers)
    }
    return receivers
  }
}

/** A tenant with a wrong configuration has that of all. */
function orShared<T>(shared: readonly T[], own: () => readonly T[] | undefined, logger: Logger): readonly T[] {
  try {
    return own() ?? shared
  } catch (error) {
    logger.error('limits name receivers of rules that cannot be used', { error: (error as Error).message })
    return shared
  }
}

/** They get no credentials, which are for those of all tenants. */
function ownAlertmanagers({
  ruler_alertmanager_config: config,
}: ReceiverLimits): readonly AlertmanagerAddress[] | undefined {
  const { alertmanager_url: given, alert_relabel_configs: _, ...others } = config
  const [other] = Object.keys(others)
  if (other !== undefined)
    throw new Error(
      `ruler_alertmanager_config.${other} is not supported, only alertmanager_url and alert_relabel_configs are`,
    )
  if (given === undefined) return undefined
  const list: readonly unknown[] = Array.isArray(given) ? given : [given]
  const urls = list.flatMap((one) => String(one).split(',')).map((url) => url.trim())
  if (urls.every(isAddress)) return urls.map((url) => ({ url, headers: {} }))
  throw new Error('ruler_alertmanager_config.alertmanager_url: expected http(s) addresses')
}

function ownRelabels({ ruler_alertmanager_config: config }: ReceiverLimits): readonly RelabelRule[] | undefined {
  const given = config['alert_relabel_configs']
  if (given === undefined) return undefined
  try {
    return parseRelabelRules(given)
  } catch (error) {
    throw new Error(`ruler_alertmanager_config.alert_relabel_configs: ${(error as Error).message}`, { cause: error })
  }
}

export function isAddress(url: string): boolean {
  return /^https?:/.test(url) && URL.canParse(url)
}

function ownClients({ ruler_remote_write_config: config }: ReceiverLimits): readonly Receiver[] {
  return parseWriteClients(config)
}

function withOwn(shared: readonly Receiver[], own: readonly Receiver[]): readonly Receiver[] {
  const names = new Set(own.map(({ name }) => name))
  return [...shared.filter(({ name }) => !names.has(name)), ...own]
}
