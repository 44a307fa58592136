import { names } from 'names.bicep'

metadata description = 'One identity per role of the host, and one for the autoscaler that reads metrics. What they may do is in access.bicep.'

param location string
param tags { *: string }
param named names

resource api 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: named.apiIdentity
  location: location
  tags: tags
}

resource core 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: named.coreIdentity
  location: location
  tags: tags
}

resource gpu 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: named.gpuIdentity
  location: location
  tags: tags
}

resource scaler 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: named.scalerIdentity
  location: location
  tags: tags
}

output apiClientId string = api.properties.clientId
output coreClientId string = core.properties.clientId
output gpuClientId string = gpu.properties.clientId
output scalerClientId string = scaler.properties.clientId
