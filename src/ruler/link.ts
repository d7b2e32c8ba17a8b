/** Links from an alert to what its query gives: Grafana's Explore where a data source is known, else the query API. */

export type LinkOptions = { readonly externalUrl: string; readonly datasourceUid: string }

/** Shown besides the time at which an alert began. */
const contextMs = 3_600_000

export function queryLink(
  { externalUrl, datasourceUid }: LinkOptions,
  expr: string,
  startMs: number,
  endMs: number,
): string {
  if (externalUrl === '') return ''
  const base = externalUrl.replace(/\/+$/, '')
  const fromMs = startMs - contextMs
  if (datasourceUid === '') {
    const query = new URLSearchParams({ query: expr, start: `${fromMs}000000`, end: `${endMs}000000` })
    return `${base}/loki/api/v1/query_range?${query.toString()}`
  }
  const left = {
    datasource: datasourceUid,
    queries: [{ datasource: { type: 'loki', uid: datasourceUid }, expr, queryType: 'range', refId: 'A' }],
    range: { from: String(fromMs), to: String(endMs) },
  }
  return `${base}/explore?${new URLSearchParams({ left: JSON.stringify(left) }).toString()}`
}
