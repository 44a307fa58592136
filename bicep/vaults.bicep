import { names } from 'names.bicep'

metadata description = 'One key vault per role: a role reads its own and no other, so that only core ever holds the host\'s key.'

param location string
param tags { *: string }
param named names

var settings = {
  enablePurgeProtection: true
  enableRbacAuthorization: true
  enableSoftDelete: true
  softDeleteRetentionInDays: 90
  sku: {
    family: 'A'
    name: 'standard'
  }
  tenantId: tenant().tenantId
}

resource api 'Microsoft.KeyVault/vaults@2026-05-15' = {
  name: named.apiVault
  location: location
  tags: tags
  properties: settings
}

resource core 'Microsoft.KeyVault/vaults@2026-05-15' = {
  name: named.coreVault
  location: location
  tags: tags
  properties: settings
}

resource gpu 'Microsoft.KeyVault/vaults@2026-05-15' = {
  name: named.gpuVault
  location: location
  tags: tags
  properties: settings
}

output apiUri string = api.properties.vaultUri
output coreUri string = core.properties.vaultUri
output gpuUri string = gpu.properties.vaultUri
