/** The section `compactor` of the configuration. */
import { bool, bytes, duration, int } from '#/platform/config/option.ts'

export const compactorOptions = {
  compaction_interval: duration('10m', 'Time between two looks at which blocks can be merged.'),
  compaction_enabled: bool(
    true,
    'Edda: whether blocks are merged by themselves; `edda compact --once` merges them all the same, and what deletes and retention order is always done.',
  ),
  target_block_bytes: bytes(
    '64MB',
    'Edda: bytes of entries at which a merged block ends. Building one takes about a third of it in memory.',
  ),
  max_merge_inputs: int(32, 'Edda: most blocks that are merged at a time.'),
  settle_time: duration('10m', 'Edda: how long after the end of an hour or day its blocks are left alone.'),
  retention_enabled: bool(
    true,
    'Whether blocks are removed by age and size. There is nothing else to switch on: what has a period is removed. Loki needs `true` here.',
  ),
  apply_retention_interval: duration('15m', 'Time between two looks at what retention and deletes have to do.'),
  retention_delete_delay: duration(
    '2h',
    'How long the objects of blocks stay that were removed or written anew: longer than any query runs.',
  ),
  retention_min_free: bytes(
    '0',
    'Edda: free bytes on the volume of the blocks below which the oldest blocks of all tenants are removed. 0: never.',
  ),
  delete_request_cancel_period: duration(
    '24h',
    'How long a delete request can be taken back. Its lines are hidden at once, and erased when this is over.',
  ),
  delete_request_erase_period: duration(
    '24h',
    'Edda: how long after `delete_request_cancel_period` the lines of a request may still be stored. They go with the next merges of their blocks; in time before this is over the blocks are written anew for them alone.',
  ),
  delete_max_interval: duration('24h', 'Longest `max_interval` of a delete request.'),
}
