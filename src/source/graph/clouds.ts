/**
 * Where the national clouds of Microsoft are: the token service and Graph of each.
 * Source: learn.microsoft.com/graph/deployments. GCC uses `global`, GCC High `usgov`, DoD `usgov-dod`.
 */
export const clouds = {
  global: { login: 'https://login.microsoftonline.com', graph: 'https://graph.microsoft.com' },
  usgov: { login: 'https://login.microsoftonline.us', graph: 'https://graph.microsoft.us' },
  'usgov-dod': { login: 'https://login.microsoftonline.us', graph: 'https://dod-graph.microsoft.us' },
  china: { login: 'https://login.chinacloudapi.cn', graph: 'https://microsoftgraph.chinacloudapi.cn' },
} as const satisfies Record<string, { login: string; graph: string }>;
