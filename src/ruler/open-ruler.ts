/** Puts the ruler together from its options. */
import type { World } from '#/kernel/world.ts'
import type { ValuesOf } from '#/platform/config/option.ts'
import type { ObjectStore } from '#/platform/objstore/objstore.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import type { Metrics } from '#/platform/telemetry/metrics.ts'
import type { rulerOptions } from './config.ts'
import { groupMetrics } from './evaluate/group-metrics.ts'
import type { RuleContext } from './evaluate/rule-context.ts'
import type { RuleQueries } from './evaluate/rule-queries.ts'
import { queryLink } from './link.ts'
import { Notifier } from './notify/notifier.ts'
import { rulerMetrics } from './ruler-metrics.ts'
import { Ruler } from './ruler.ts'
import type { HttpPost } from './send/http-post.ts'
import { LayeredRuleStore } from './store/layered-rule-store.ts'
import { LocalRuleStore } from './store/local-rule-store.ts'
import { ObjectRuleStore } from './store/object-rule-store.ts'
import type { RuleStore } from './store/rule-store.ts'
import { StateStore } from './store/state-store.ts'
import { type ReceiverLimits, tenantReceivers } from './tenant-receivers.ts'
import { RemoteWriter } from './write/remote-writer.ts'

export type RulerConfig = ValuesOf<typeof rulerOptions>

export type RulerNeeds = {
  readonly world: World
  readonly logger: Logger
  readonly metrics: Metrics
  readonly store: ObjectStore
  readonly queries: RuleQueries
  /** Closed by the stop. */
  readonly http: HttpPost
  readonly limitsOf: (tenant: string) => ReceiverLimits
}

export type OpenRuler = { readonly ruler: Ruler; readonly stop: () => Promise<void> }

/** How long a stop waits for alerts and samples to leave. */
const drainMs = 5000

export async function openRuler(config: RulerConfig, needs: RulerNeeds): Promise<OpenRuler> {
  const { world, logger, metrics, store, http } = needs
  const { enabled, clients, add_org_id_header: addsTenant } = config.remote_write
  const headers = alertmanagerHeaders(config)
  const alertmanagers = config.alertmanager_url.map((url) => ({ url, headers }))
  const shared = { alertmanagers, alertRelabels: config.alert_relabel_configs, clients }
  const receiversOf = tenantReceivers(shared, needs.limitsOf, logger)
  const notifier = new Notifier({
    alertmanagersOf: (tenant) => receiversOf(tenant).alertmanagers,
    relabelsOf: (tenant) => receiversOf(tenant).alertRelabels,
    capacity: config.notification_queue_capacity,
    timeoutMs: config.notification_timeout,
    post: http.post,
    world,
    logger,
    metrics,
  })
  const writer = new RemoteWriter({
    clientsOf: (tenant) => (enabled ? receiversOf(tenant).clients : []),
    addsTenant,
    post: http.post,
    world,
    logger,
    metrics,
  })
  const ruler = new Ruler({
    rules: ruleStore(config, world, store),
    states: new StateStore(store),
    contextOf: contextMaker(config, needs),
    isEnabled: (tenant) => isEnabled(config, tenant),
    send: (tenant, alerts) => notifier.send(tenant, alerts),
    write: (tenant, samples) => writer.write(tenant, samples),
    clock: world.clock,
    logger,
    metrics: { groups: groupMetrics(metrics), ruler: rulerMetrics(metrics) },
    evaluationIntervalMs: config.evaluation_interval,
    pollMs: config.poll_interval,
    outage: { toleranceMs: config.for_outage_tolerance, graceMs: config.for_grace_period },
  })
  await ruler.start()
  const stop = async (): Promise<void> => {
    await ruler.stop()
    await Promise.all([notifier.stop(drainMs), writer.stop(drainMs)])
    await http.close()
  }
  return { ruler, stop }
}

function contextMaker(config: RulerConfig, { queries, logger }: RulerNeeds): (tenant: string) => RuleContext {
  const { external_url: externalUrl, datasource_uid: datasourceUid, external_labels: externalLabels } = config
  return (tenant) => ({
    tenant,
    queries,
    logger: logger.with({ tenant }),
    externalLabels,
    externalUrl,
    linkTo: (expr, startMs, endMs) => queryLink({ externalUrl, datasourceUid }, expr, startMs, endMs),
    resendDelayMs: config.resend_delay,
    lineCount: config.alert_lines,
  })
}

function ruleStore({ storage }: RulerConfig, { disk }: World, store: ObjectStore): RuleStore {
  const { directory } = storage.local
  if (storage.type === 'local') return new LocalRuleStore(disk, directory)
  const objects = new ObjectRuleStore(store)
  return directory === '' ? objects : new LayeredRuleStore(new LocalRuleStore(disk, directory), objects)
}

function isEnabled({ enabled_tenants: enabled, disabled_tenants: disabled }: RulerConfig, tenant: string): boolean {
  return (enabled.length === 0 || enabled.includes(tenant)) && !disabled.includes(tenant)
}

function alertmanagerHeaders({ alertmanager_client: client }: RulerConfig): Readonly<Record<string, string>> {
  const { type, credentials, basic_auth_username: user, basic_auth_password: password } = client
  if (credentials !== '') return { authorization: `${type} ${credentials}` }
  if (user === '') return {}
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` }
}
