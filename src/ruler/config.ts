/** Options of the ruler: the section `ruler` of Loki's configuration. Durations are milliseconds. */
import {
  bool,
  choice,
  custom,
  duration,
  int,
  type Option,
  secret,
  text,
  texts,
  type ValuesOf,
} from '#/platform/config/option.ts'
import { formatRelabelRule, parseRelabelRules, type RelabelRule } from './notify/relabel.ts'
import type { Receiver } from './send/send-queue.ts'
import { isAddress } from './tenant-receivers.ts'
import type { TextMap } from './model/rule-group.ts'
import { parseWriteClients } from './write/write-clients.ts'

/** Clients hold credentials: of those that are shown, only name and address are. */
const writeClients: Option<readonly Receiver[]> = {
  ...custom<readonly Receiver[]>(
    'map',
    [],
    'Receivers of recorded samples by name: `url`, `remote_timeout`, `headers`, `basic_auth`, `authorization`, `queue_config`.',
    parseWriteClients,
  ),
  format: (clients) => Object.fromEntries(clients.map(({ name, url }) => [name, { url: withoutUser(url) }])),
}

const relabelRules: Option<readonly RelabelRule[]> = {
  ...custom<readonly RelabelRule[]>(
    'list',
    [],
    'What becomes of the labels of alerts before they leave, in the form of Prometheus.',
    parseRelabelRules,
  ),
  format: (rules) => rules.map(formatRelabelRule),
}

/** Alerts are kept in memory, and sent again and again. */
const maxAlertLines = 100

export const rulerOptions = {
  external_url: text('', 'Address under which people reach Grafana, or this Edda; alerts link to their query there.'),
  external_labels: custom<TextMap>(
    'map',
    {},
    'Labels that alerts and recorded series get besides their own.',
    parseTexts,
  ),
  datasource_uid: text('', "Grafana's id of the data source of the rules; with it alerts link to Explore."),
  evaluation_interval: duration('1m', 'Interval of groups that do not say theirs.'),
  poll_interval: duration('1m', 'Time between two looks for changed rules. What comes through the API counts at once.'),
  storage: {
    type: choice(
      ['', 'local', 'filesystem', 's3', 'gcs', 'azure', 'swift', 'cos', 'bos', 'alibabacloud'],
      '',
      'Where rules are: `local`: in the files of `storage.local.directory` only; all others: also in the object store, beside the blocks.',
    ),
    local: {
      directory: text('', 'Directory of rule files, `<directory>/<tenant>/<file>.yaml`; they are only read.'),
    },
  },
  alertmanager_url: texts([], 'Alertmanagers that get every alert.'),
  alert_relabel_configs: relabelRules,
  alertmanager_client: {
    basic_auth_username: text('', 'User at the Alertmanagers, with `basic_auth_password`.'),
    basic_auth_password: secret('Password of that user.'),
    type: text('Bearer', 'Kind of `credentials`.'),
    credentials: secret('Sent to the Alertmanagers as `Authorization: <type> <credentials>`; goes before the user.'),
  },
  notification_queue_capacity: int(
    10_000,
    'Alerts of a tenant that wait for one Alertmanager; beyond it the oldest go.',
  ),
  notification_timeout: duration('10s', 'Longest wait for the answer of an Alertmanager.'),
  for_outage_tolerance: duration('1h', 'Alerts are taken over after a stop that was not longer than this.'),
  for_grace_period: duration('10m', 'A pending alert that was taken over does not fire sooner than this.'),
  resend_delay: duration('1m', 'Pause until a firing alert is sent again.'),
  alert_lines: int(10, 'Edda: newest log lines that a template gets as `.Lines`; 0: none.'),
  enable_api: bool(true, 'Whether rules can be read and written over HTTP.'),
  enabled_tenants: texts([], 'Tenants whose rules are evaluated; empty: all.'),
  disabled_tenants: texts([], 'Tenants whose rules are not evaluated.'),
  remote_write: {
    enabled: bool(false, 'Whether the results of recording rules are sent to `clients`.'),
    clients: writeClients,
    add_org_id_header: bool(true, 'Whether remote writes name the tenant in `X-Scope-OrgID`.'),
  },
}

/** What is wrong with the options together. */
export function rulerProblems(config: ValuesOf<typeof rulerOptions>): readonly string[] {
  const problems: string[] = []
  for (const url of config.alertmanager_url) {
    if (!isAddress(url)) problems.push(`ruler.alertmanager_url: '${url}' is no http(s) address`)
  }
  const { type, local } = config.storage
  if (type === 'local' && local.directory === '')
    problems.push('ruler.storage.type local needs ruler.storage.local.directory')
  for (const key of ['evaluation_interval', 'poll_interval', 'notification_timeout'] as const) {
    if (config[key] <= 0) problems.push(`ruler.${key} must be more than 0s`)
  }
  if (config.notification_queue_capacity < 1) problems.push('ruler.notification_queue_capacity must be at least 1')
  if (config.alert_lines < 0 || config.alert_lines > maxAlertLines) {
    problems.push(`ruler.alert_lines ${config.alert_lines} is not between 0 and ${maxAlertLines}`)
  }
  return problems
}

function withoutUser(url: string): string {
  const shown = new URL(url)
  shown.username = ''
  shown.password = ''
  return shown.href
}

function parseTexts(value: unknown): TextMap {
  if (value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) throw new Error('expected a map of texts')
  return Object.fromEntries(Object.entries(value as object).map(([key, one]) => [key, String(one)]))
}
