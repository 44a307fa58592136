import { names } from 'names.bicep'

metadata description = 'Azure Managed Redis, which keeps the list of the cluster\'s members, written to disk every second; how to reach it goes to the vaults of the roles.'

param location string
param tags { *: string }
param named names
param sku string
param highAvailability 'Disabled' | 'Enabled'

var vaultNames = [named.apiVault, named.coreVault, named.gpuVault]

resource cluster 'Microsoft.Cache/redisEnterprise@2025-07-01' = {
  name: named.redis
  location: location
  tags: tags
  sku: {
    name: sku
  }
  properties: {
    highAvailability: highAvailability
    minimumTlsVersion: '1.2'
    publicNetworkAccess: 'Enabled'
  }
}

// Access keys: signing in by Entra ID needs a client package that the host does not have.
resource database 'Microsoft.Cache/redisEnterprise/databases@2025-07-01' = {
  parent: cluster
  name: 'default'
  properties: {
    accessKeysAuthentication: 'Enabled'
    clientProtocol: 'Encrypted'
    clusteringPolicy: 'EnterpriseCluster'
    evictionPolicy: 'NoEviction'
    persistence: {
      aofEnabled: true
      aofFrequency: '1s'
    }
    port: 10000
  }
}

resource vaults 'Microsoft.KeyVault/vaults@2026-05-15' existing = [
  for vaultName in vaultNames: {
    name: vaultName
  }
]

// The name is the host's option TinyLlm:Cluster:Redis, as Key Vault spells it.
resource secrets 'Microsoft.KeyVault/vaults/secrets@2026-05-15' = [
  for (vaultName, i) in vaultNames: {
    parent: vaults[i]
    name: 'TinyLlm--Cluster--Redis'
    properties: {
      contentType: 'text/plain'
      value: '${cluster.properties.hostName}:${database.properties.port},password=${database.listKeys().primaryKey},ssl=true,abortConnect=false'
    }
  }
]
