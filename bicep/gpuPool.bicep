import { names } from 'names.bicep'

metadata description = 'Nodes with an NVIDIA accelerator, from none to a bound: none is paid for while nobody waits for one.'

param named names
param tags { *: string }
param vmSize string
@minValue(1)
@maxValue(100)
param maxNodes int
@description('How many there are now. Any other count than this takes nodes from those who use them, or is refused: they are the autoscaler\'s.')
@minValue(0)
param nodes int

resource cluster 'Microsoft.ContainerService/managedClusters@2026-08-01' existing = {
  name: named.cluster
}

resource pool 'Microsoft.ContainerService/managedClusters/agentPools@2026-08-01' = {
  parent: cluster
  name: 'gpu'
  properties: {
    mode: 'User'
    count: min(nodes, maxNodes)
    enableAutoScaling: true
    gpuProfile: {
      driver: 'Install'
    }
    maxCount: maxNodes
    minCount: 0
    nodeLabels: {
      'tinyllm.dev/pool': 'gpu'
    }
    // Only what asks for an accelerator may use these nodes.
    nodeTaints: ['nvidia.com/gpu=present:NoSchedule']
    osSKU: 'AzureLinux'
    osType: 'Linux'
    tags: tags
    vmSize: vmSize
  }
}
