import assert from 'node:assert/strict'
import { test } from 'node:test'

import { type Logger, silentLogger } from '#/platform/telemetry/logger.ts'
import { parseRelabelRules } from './notify/relabel.ts'
import { type ReceiverLimits, tenantReceivers } from './tenant-receivers.ts'
import { parseWriteClients } from './write/write-clients.ts'

const shared = {
  alertmanagers: [{ url: 'http://am', headers: { authorization: 'Bearer x' } }],
  alertRelabels: parseRelabelRules([{ action: 'drop', source_labels: ['a'] }]),
  clients: parseWriteClients({ one: { url: 'http://one' }, two: { url: 'http://two' } }),
}

function receiversWith(own: Partial<ReceiverLimits>) {
  const errors: unknown[] = []
  const logger: Logger = {
    ...silentLogger,
    with: () => ({ ...silentLogger, error: (_text, fields) => errors.push(fields) }),
  }
  const limits = {
    ruler_remote_write_disabled: false,
    ruler_remote_write_config: {},
    ruler_alertmanager_config: {},
    ...own,
  }
  const receiversOf = tenantReceivers(shared, () => limits, logger)
  const { alertmanagers, clients } = receiversOf('t')
  assert.equal(receiversOf('t'), receiversOf('t'))
  return { alertmanagers, clients: clients.map(({ name, url }) => `${name} ${url}`), errors }
}

test('a tenant has the receivers of all, or its own', () => {
  assert.deepEqual(receiversWith({}), {
    alertmanagers: shared.alertmanagers,
    clients: ['one http://one', 'two http://two'],
    errors: [],
  })
  assert.deepEqual(
    receiversWith({
      ruler_alertmanager_config: { alertmanager_url: 'http://a, http://b' },
      ruler_remote_write_config: { two: { url: 'http://mine' }, three: { url: 'http://three' } },
    }),
    {
      alertmanagers: ['http://a', 'http://b'].map((url) => ({ url, headers: {} })),
      clients: ['one http://one', 'two http://mine', 'three http://three'],
      errors: [],
    },
  )
  assert.deepEqual(receiversWith({ ruler_remote_write_disabled: true }).clients, [])
})

test('wrong ones are said, and change nothing', () => {
  const { alertmanagers, clients, errors } = receiversWith({
    ruler_alertmanager_config: { alertmanager_url: 'nowhere' },
    ruler_remote_write_config: { two: { uri: 'http://mine' } },
  })
  assert.deepEqual([alertmanagers, clients], [shared.alertmanagers, ['one http://one', 'two http://two']])
  assert.deepEqual(errors, [
    { error: 'ruler_alertmanager_config.alertmanager_url: expected http(s) addresses' },
    {
      error: `two: unknown key uri, known are url, name, remote_timeout, headers, basic_auth, authorization, queue_config`,
    },
  ])
})

test('a tenant relabels its alerts as all do, or in its own way', () => {
  const relabelsWith = (config: ReceiverLimits['ruler_alertmanager_config']) => {
    const limits = {
      ruler_remote_write_disabled: false,
      ruler_remote_write_config: {},
      ruler_alertmanager_config: config,
    }
    return tenantReceivers(shared, () => limits, silentLogger)('t').alertRelabels
  }
  assert.deepEqual(relabelsWith({}), shared.alertRelabels)
  assert.deepEqual(relabelsWith({ alert_relabel_configs: [] }), [])
  assert.deepEqual(relabelsWith({ alert_relabel_configs: [{}] }), shared.alertRelabels, 'a wrong one changes nothing')
})
