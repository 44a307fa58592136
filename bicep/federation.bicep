import { names } from 'names.bicep'

metadata description = 'Which service account of the cluster may act as which identity.'

param named names
param issuer string
param namespace string

var audience = 'api://AzureADTokenExchange'

resource api 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: named.apiIdentity
}

resource core 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: named.coreIdentity
}

resource gpu 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: named.gpuIdentity
}

resource scaler 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: named.scalerIdentity
}

resource apiAccount 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2024-11-30' = {
  parent: api
  name: 'cluster'
  properties: {
    audiences: [audience]
    issuer: issuer
    subject: 'system:serviceaccount:${namespace}:api'
  }
}

resource coreAccount 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2024-11-30' = {
  parent: core
  name: 'cluster'
  properties: {
    audiences: [audience]
    issuer: issuer
    subject: 'system:serviceaccount:${namespace}:core'
  }
}

resource gpuAccount 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2024-11-30' = {
  parent: gpu
  name: 'cluster'
  properties: {
    audiences: [audience]
    issuer: issuer
    subject: 'system:serviceaccount:${namespace}:gpu'
  }
}

// KEDA's operator is an add-on of AKS and lives there.
resource scalerAccount 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2024-11-30' = {
  parent: scaler
  name: 'cluster'
  properties: {
    audiences: [audience]
    issuer: issuer
    subject: 'system:serviceaccount:kube-system:keda-operator'
  }
}
