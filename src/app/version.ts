/** What the process says of itself. Grafana reads `version` to learn which parts of Loki's API it may use. */
export const version = {
  version: '3.8.0',
  revision: 'unknown',
  branch: 'main',
  buildUser: 'edda',
  buildDate: '',
  goVersion: '',
  edda: '0.1.0',
  node: process.version,
}
