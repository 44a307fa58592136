import { names } from 'names.bicep'
import { size } from 'sizes.bicep'

metadata description = 'The AKS cluster: an encrypted pod network, workload identity, the Gateway API, KEDA, and its pools. The GPU pool is gpuPool.bicep.'

param location string
param tags { *: string }
param settings size
param named names
@description('How many nodes the core pool has now. Any other count than this takes nodes from those who use them, or is refused: they are the autoscaler\'s.')
@minValue(0)
param coreNodes int

resource logs 'Microsoft.OperationalInsights/workspaces@2026-03-01' existing = {
  name: named.logs
}

resource metrics 'Microsoft.Monitor/accounts@2025-10-03' existing = {
  name: named.metrics
}

resource cluster 'Microsoft.ContainerService/managedClusters@2026-08-01' = {
  name: named.cluster
  location: location
  tags: tags
  sku: {
    name: 'Base'
    tier: settings.clusterTier
  }
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    dnsPrefix: named.dns
    nodeResourceGroup: named.nodes
    aadProfile: {
      enableAzureRBAC: true
      managed: true
    }
    addonProfiles: {
      omsagent: {
        enabled: true
        config: {
          logAnalyticsWorkspaceResourceID: logs.id
          useAADAuth: 'true'
        }
      }
    }
    agentPoolProfiles: [
      {
        name: 'system'
        mode: 'System'
        availabilityZones: settings.zones
        count: settings.systemNodes
        nodeTaints: ['CriticalAddonsOnly=true:NoSchedule']
        osSKU: 'AzureLinux'
        osType: 'Linux'
        vmSize: settings.systemVmSize
      }
      {
        name: 'core'
        mode: 'User'
        availabilityZones: settings.zones
        count: min(max(coreNodes, settings.coreMinNodes), settings.coreMaxNodes)
        enableAutoScaling: true
        maxCount: settings.coreMaxNodes
        minCount: settings.coreMinNodes
        nodeLabels: {
          'tinyllm.dev/pool': 'core'
        }
        osSKU: 'AzureLinux'
        osType: 'Linux'
        vmSize: settings.coreVmSize
      }
    ]
    autoUpgradeProfile: {
      nodeOSUpgradeChannel: 'NodeImage'
      upgradeChannel: 'patch'
    }
    azureMonitorProfile: {
      metrics: {
        enabled: true
      }
    }
    disableLocalAccounts: true
    enableRBAC: true
    ingressProfile: {
      gatewayAPI: {
        installation: 'Standard'
      }
      webAppRouting: {
        enabled: true
        gatewayAPIImplementations: {
          appRoutingIstio: {
            mode: 'Enabled'
          }
        }
        nginx: {
          defaultIngressControllerType: 'None'
        }
      }
    }
    networkProfile: {
      // What passes between silos carries prompts and keys: WireGuard encrypts it from node to node.
      advancedNetworking: {
        enabled: true
        security: {
          enabled: true
          transitEncryption: {
            type: 'WireGuard'
          }
        }
      }
      networkDataplane: 'cilium'
      networkPlugin: 'azure'
      networkPluginMode: 'overlay'
      networkPolicy: 'cilium'
      podCidr: '10.244.0.0/16'
    }
    oidcIssuerProfile: {
      enabled: true
    }
    securityProfile: {
      imageCleaner: {
        enabled: true
        intervalHours: 168
      }
      workloadIdentity: {
        enabled: true
      }
    }
    workloadAutoScalerProfile: {
      keda: {
        enabled: true
      }
    }
  }
}

resource prometheusEndpoint 'Microsoft.Insights/dataCollectionEndpoints@2024-03-11' = {
  name: named.collection
  location: location
  tags: tags
  kind: 'Linux'
  properties: {}
}

resource prometheusRule 'Microsoft.Insights/dataCollectionRules@2024-03-11' = {
  name: '${named.cluster}-prometheus'
  location: location
  tags: tags
  kind: 'Linux'
  properties: {
    dataCollectionEndpointId: prometheusEndpoint.id
    dataFlows: [
      {
        destinations: ['metrics']
        streams: ['Microsoft-PrometheusMetrics']
      }
    ]
    dataSources: {
      prometheusForwarder: [
        {
          name: 'cluster'
          streams: ['Microsoft-PrometheusMetrics']
        }
      ]
    }
    destinations: {
      monitoringAccounts: [
        {
          accountResourceId: metrics.id
          name: 'metrics'
        }
      ]
    }
  }
}

resource prometheusAssociation 'Microsoft.Insights/dataCollectionRuleAssociations@2024-03-11' = {
  scope: cluster
  name: 'prometheus'
  properties: {
    dataCollectionRuleId: prometheusRule.id
  }
}

resource logRule 'Microsoft.Insights/dataCollectionRules@2024-03-11' = {
  name: '${named.cluster}-logs'
  location: location
  tags: tags
  kind: 'Linux'
  properties: {
    dataFlows: [
      {
        destinations: ['logs']
        streams: ['Microsoft-ContainerLogV2', 'Microsoft-KubeEvents', 'Microsoft-KubePodInventory']
      }
    ]
    dataSources: {
      extensions: [
        {
          extensionName: 'ContainerInsights'
          extensionSettings: {
            dataCollectionSettings: {
              enableContainerLogV2: true
              interval: '1m'
              namespaceFilteringMode: 'Off'
            }
          }
          name: 'containers'
          streams: ['Microsoft-ContainerLogV2', 'Microsoft-KubeEvents', 'Microsoft-KubePodInventory']
        }
      ]
    }
    destinations: {
      logAnalytics: [
        {
          name: 'logs'
          workspaceResourceId: logs.id
        }
      ]
    }
  }
}

resource logAssociation 'Microsoft.Insights/dataCollectionRuleAssociations@2024-03-11' = {
  scope: cluster
  name: 'logs'
  properties: {
    dataCollectionRuleId: logRule.id
  }
}

output issuer string = cluster.properties.oidcIssuerProfile.issuerURL
output kubeletPrincipalId string = cluster.properties.identityProfile.kubeletidentity.objectId
