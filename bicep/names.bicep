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
  grafana: string
  cluster: string
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
  metrics: '${prefix}-metrics'
  grafana: 'tlm-${suffix}'
  cluster: '${prefix}-aks'
}
