import { names } from 'names.bicep'

metadata description = 'Two storage accounts: one for models, state and audit logs, with soft delete; one for the users\' wrapped keys, where what is deleted is gone.'

param location string
param tags { *: string }
param named names
param sku string
@minValue(1)
@maxValue(365)
param softDeleteDays int

resource account 'Microsoft.Storage/storageAccounts@2026-06-01' = {
  name: named.account
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: sku
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    isLocalUserEnabled: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2026-06-01' = {
  parent: account
  name: 'default'
  properties: {
    containerDeleteRetentionPolicy: {
      enabled: true
      days: softDeleteDays
    }
    deleteRetentionPolicy: {
      enabled: true
      days: softDeleteDays
    }
    isVersioningEnabled: false
    lastAccessTimeTrackingPolicy: {
      enable: true
      name: 'AccessTimeTracking'
    }
  }
}

resource objects 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-06-01' = {
  parent: blobs
  name: 'objects'
  properties: {
    publicAccess: 'None'
  }
}

resource grainState 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-06-01' = {
  parent: blobs
  name: 'grainstate'
  properties: {
    publicAccess: 'None'
  }
}

// Models that nobody loads for a month get cheaper; the first load brings them back. Nothing is deleted by age.
resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2026-06-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'unused-models-to-cool'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: ['blockBlob']
              prefixMatch: ['objects/models/']
            }
            actions: {
              baseBlob: {
                enableAutoTierToHotFromCool: true
                tierToCool: {
                  daysAfterLastAccessTimeGreaterThan: 30
                }
              }
            }
          }
        }
      ]
    }
  }
  dependsOn: [blobs]
}

resource keyAccount 'Microsoft.Storage/storageAccounts@2026-06-01' = {
  name: named.keyAccount
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: sku
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    isLocalUserEnabled: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
  }
}

// Deleting a user destroys the user's key: neither a soft-deleted copy nor an old version may remain.
resource keyBlobs 'Microsoft.Storage/storageAccounts/blobServices@2026-06-01' = {
  parent: keyAccount
  name: 'default'
  properties: {
    changeFeed: {
      enabled: false
    }
    containerDeleteRetentionPolicy: {
      enabled: false
    }
    deleteRetentionPolicy: {
      enabled: false
    }
    isVersioningEnabled: false
  }
}

resource envelopes 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-06-01' = {
  parent: keyBlobs
  name: 'envelopes'
  properties: {
    publicAccess: 'None'
  }
}

output accountUri string = account.properties.primaryEndpoints.blob
output keyAccountUri string = keyAccount.properties.primaryEndpoints.blob
