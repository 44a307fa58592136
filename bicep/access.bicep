import { names } from 'names.bicep'
import { roles } from 'roles.bicep'

metadata description = 'Who may do what: every role assignment of a deployment, and no other.'

param named names
param kubeletPrincipalId string
param grafanaPrincipalId string
param deployerPrincipalId string
param deployerPrincipalType 'User' | 'ServicePrincipal'

resource account 'Microsoft.Storage/storageAccounts@2026-06-01' existing = {
  name: named.account
}

resource keyAccount 'Microsoft.Storage/storageAccounts@2026-06-01' existing = {
  name: named.keyAccount
}

resource apiVault 'Microsoft.KeyVault/vaults@2026-05-15' existing = {
  name: named.apiVault
}

resource coreVault 'Microsoft.KeyVault/vaults@2026-05-15' existing = {
  name: named.coreVault
}

resource gpuVault 'Microsoft.KeyVault/vaults@2026-05-15' existing = {
  name: named.gpuVault
}

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' existing = {
  name: named.registry
}

resource cluster 'Microsoft.ContainerService/managedClusters@2026-08-01' existing = {
  name: named.cluster
}

resource metrics 'Microsoft.Monitor/accounts@2025-10-03' existing = {
  name: named.metrics
}

resource grafana 'Microsoft.Dashboard/grafana@2025-08-01' existing = {
  name: named.grafana
}

resource apiIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: named.apiIdentity
}

resource coreIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: named.coreIdentity
}

resource gpuIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: named.gpuIdentity
}

resource scalerIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: named.scalerIdentity
}

// Every role reads and writes models and state; the users' wrapped keys are core's alone.
resource apiObjects 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account
  name: guid(account.id, apiIdentity.id, roles.storageBlobDataContributor)
  properties: {
    principalId: apiIdentity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.storageBlobDataContributor
    )
  }
}

resource coreObjects 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account
  name: guid(account.id, coreIdentity.id, roles.storageBlobDataContributor)
  properties: {
    principalId: coreIdentity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.storageBlobDataContributor
    )
  }
}

resource gpuObjects 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account
  name: guid(account.id, gpuIdentity.id, roles.storageBlobDataContributor)
  properties: {
    principalId: gpuIdentity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.storageBlobDataContributor
    )
  }
}

resource coreEnvelopes 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: keyAccount
  name: guid(keyAccount.id, coreIdentity.id, roles.storageBlobDataContributor)
  properties: {
    principalId: coreIdentity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.storageBlobDataContributor
    )
  }
}

// A role reads the secrets of its own vault.
resource apiSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: apiVault
  name: guid(apiVault.id, apiIdentity.id, roles.secretsUser)
  properties: {
    principalId: apiIdentity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.secretsUser)
  }
}

resource coreSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: coreVault
  name: guid(coreVault.id, coreIdentity.id, roles.secretsUser)
  properties: {
    principalId: coreIdentity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.secretsUser)
  }
}

resource gpuSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: gpuVault
  name: guid(gpuVault.id, gpuIdentity.id, roles.secretsUser)
  properties: {
    principalId: gpuIdentity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.secretsUser)
  }
}

resource kubeletImages 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: registry
  name: guid(registry.id, cluster.id, roles.acrPull)
  properties: {
    principalId: kubeletPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.acrPull)
  }
}

resource scalerMetrics 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: metrics
  name: guid(metrics.id, scalerIdentity.id, roles.monitoringDataReader)
  properties: {
    principalId: scalerIdentity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.monitoringDataReader)
  }
}

resource grafanaMetrics 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: metrics
  name: guid(metrics.id, grafana.id, roles.monitoringDataReader)
  properties: {
    principalId: grafanaPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.monitoringDataReader)
  }
}

// Who deploys writes the first secrets, pushes images and applies manifests.
resource deployerApiSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: apiVault
  name: guid(apiVault.id, deployerPrincipalId, roles.secretsOfficer)
  properties: {
    principalId: deployerPrincipalId
    principalType: deployerPrincipalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.secretsOfficer)
  }
}

resource deployerCoreSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: coreVault
  name: guid(coreVault.id, deployerPrincipalId, roles.secretsOfficer)
  properties: {
    principalId: deployerPrincipalId
    principalType: deployerPrincipalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.secretsOfficer)
  }
}

resource deployerGpuSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: gpuVault
  name: guid(gpuVault.id, deployerPrincipalId, roles.secretsOfficer)
  properties: {
    principalId: deployerPrincipalId
    principalType: deployerPrincipalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.secretsOfficer)
  }
}

resource deployerImages 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: registry
  name: guid(registry.id, deployerPrincipalId, roles.acrPush)
  properties: {
    principalId: deployerPrincipalId
    principalType: deployerPrincipalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.acrPush)
  }
}

resource deployerCluster 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: cluster
  name: guid(cluster.id, deployerPrincipalId, roles.clusterAdmin)
  properties: {
    principalId: deployerPrincipalId
    principalType: deployerPrincipalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.clusterAdmin)
  }
}

resource deployerGrafana 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: grafana
  name: guid(grafana.id, deployerPrincipalId, roles.grafanaAdmin)
  properties: {
    principalId: deployerPrincipalId
    principalType: deployerPrincipalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.grafanaAdmin)
  }
}
