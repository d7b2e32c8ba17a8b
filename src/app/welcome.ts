/** What a person sees after `npm start`. */
export function welcome(address: string): string {
  const url = `http://${address}`
  return `
  Edda is running at ${url} and has logs already: its own, and those of /var/log that it may read.

  Ask for them in another terminal:
    bin/edda query '{app="edda"}'
    bin/edda query '{job="varlogs"} |= "error"' --since 24h

  Send some:
    echo 'hello from me' | bin/edda push --label app=mine

  Point Promtail, Vector, Fluent Bit or Grafana at ${url} as if it were Loki.
  Everything is kept in ./data. Stop with Ctrl+C.

`
}
