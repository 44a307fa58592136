metadata description = 'What everything is called. Names are known before anything is made, so that a preview of a deployment is exact.'

@export()
type names = {
  account: string
  keyAccount: string
  apiVault: string
  coreVault: string
  gpuVault: string
  apiIdentity: string
  coreIdentity: string
  gpuIdentity: string
  scalerIdentity: string
  redis: string
  registry: string
  logs: string
  metrics: string
  collection: string
  grafana: string
  cluster: string
  nodes: string
  dns: string
}

@export()
func namesOf(prefix string, suffix string) names => {
  account: 'tlm${suffix}'
  keyAccount: 'tlmkeys${suffix}'
  apiVault: 'tlm-api-${suffix}'
  coreVault: 'tlm-core-${suffix}'
  gpuVault: 'tlm-gpu-${suffix}'
  apiIdentity: '${prefix}-api'
  coreIdentity: '${prefix}-core'
  gpuIdentity: '${prefix}-gpu'
  scalerIdentity: '${prefix}-scaler'
  redis: 'tlm-redis-${suffix}'
  registry: 'tlm${suffix}'
  logs: '${prefix}-logs'
  metrics: 'tlm-metrics-${suffix}'
  collection: 'tlm-metrics-${suffix}'
  grafana: 'tlm-${suffix}'
  cluster: '${prefix}-aks'
  // AKS would put the group's, the cluster's and the region's name together, which may be longer than it accepts.
  nodes: 'rg-${prefix}-nodes'
  dns: 'tlm-${suffix}'
}
