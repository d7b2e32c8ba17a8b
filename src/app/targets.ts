/** The parts that `-target` can name: all of Loki's. One process runs them all today; the others are named and refused. */
export type Target = { readonly name: string; readonly doc: string; readonly isReady: boolean }

const later = (name: string, doc: string): Target => ({ name, doc, isReady: false })

export const targets: readonly Target[] = [
  { name: 'all', doc: 'Everything in one process.', isReady: true },
  later('distributor', 'Takes pushes, checks them, and hands them to ingesters.'),
  later('ingester', 'Keeps entries durable and in memory, and writes them as blocks.'),
  later('querier', 'Reads heads and blocks.'),
  later('query-frontend', 'Takes queries, checks, splits, caches and merges them.'),
  later('query-scheduler', 'Queues queries fairly between tenants.'),
  later('index-gateway', 'Serves block indexes.'),
  later('compactor', 'Merges blocks, removes what is too old or deleted.'),
  later('ruler', 'Evaluates recording and alerting rules.'),
  later('pattern-ingester', 'Mines patterns.'),
  later('overrides-exporter', 'Shows limits as metrics.'),
  later('gateway', 'One address in front of all others.'),
  later('read', 'query-frontend and querier.'),
  later('write', 'distributor and ingester.'),
  later('backend', 'query-scheduler, index-gateway, compactor and ruler.'),
]
