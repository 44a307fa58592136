import { namesOf } from '../bicep/names.bicep'
import { sizes } from '../bicep/sizes.bicep'

targetScope = 'subscription'

metadata description = 'A whole deployment of TinyLlm in a resource group of its own: azd\'s entry point.'

@description('The azd environment, from which everything takes its name: letters, digits and hyphens.')
@minLength(1)
@maxLength(32)
param environmentName string

@description('The region of everything.')
@minLength(1)
param location string

@description('small costs as little as works; production survives the loss of a zone.')
param size 'small' | 'production' = 'small'

@description('The size of a node with an NVIDIA accelerator, such as Standard_NC4as_T4_v3. Empty: no accelerators, models run on the CPUs of the core pool.')
param gpuVmSize string = ''

@description('The most nodes with accelerators; there are none while nobody needs one.')
@minValue(1)
@maxValue(100)
param gpuMaxNodes int = 1

@description('The nodes of the core pool that there are now: read-nodes.sh sets it before each deployment.')
@minValue(0)
param coreNodes int = 0

@description('The nodes with accelerators that there are now, as above.')
@minValue(0)
param gpuNodes int = 0

@description('The name that clients reach the API by, in its certificate and its route.')
@minLength(1)
param hostName string

@description('Who deploys: writes the first secrets and applies the manifests.')
@minLength(1)
param principalId string

@description('What kind of principal deploys.')
param principalType 'User' | 'ServicePrincipal' = 'User'

var namespace = 'tinyllm'
// azd takes more than letters, digits and hyphens, and the names of some resources do not.
var isPlainName = empty(filter(['_', '.', '(', ')'], character => contains(environmentName, character)))
var prefix = isPlainName
  ? 'tinyllm-${environmentName}'
  : fail('environmentName: ${environmentName} has a character that is no letter, digit or hyphen: make an environment of another name with azd env new.')
var named = namesOf(prefix, uniqueString(subscription().id, environmentName, location))
var tags = {
  'azd-env-name': environmentName
  application: 'tinyllm'
  size: size
}
var settings = sizes[size]
var hasGpuPool = !empty(gpuVmSize)

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-${prefix}'
  location: location
  tags: tags
}

module identities '../bicep/identities.bicep' = {
  scope: group
  params: {
    location: location
    named: named
    tags: tags
  }
}

module storage '../bicep/storage.bicep' = {
  scope: group
  params: {
    location: location
    named: named
    sku: settings.storageSku
    softDeleteDays: settings.softDeleteDays
    tags: tags
  }
}

module vaults '../bicep/vaults.bicep' = {
  scope: group
  params: {
    location: location
    named: named
    tags: tags
  }
}

module redis '../bicep/redis.bicep' = {
  scope: group
  params: {
    highAvailability: settings.redisHighAvailability
    location: location
    named: named
    sku: settings.redisSku
    tags: tags
  }
  dependsOn: [vaults]
}

module registry '../bicep/registry.bicep' = {
  scope: group
  params: {
    location: location
    named: named
    sku: settings.registrySku
    tags: tags
  }
}

module monitoring '../bicep/monitoring.bicep' = {
  scope: group
  params: {
    location: location
    logDays: settings.logDays
    named: named
    tags: tags
  }
}

module cluster '../bicep/cluster.bicep' = {
  scope: group
  params: {
    coreNodes: coreNodes
    location: location
    named: named
    settings: settings
    tags: tags
  }
  dependsOn: [monitoring]
}

module gpuPool '../bicep/gpuPool.bicep' = if (hasGpuPool) {
  scope: group
  params: {
    maxNodes: gpuMaxNodes
    named: named
    nodes: gpuNodes
    tags: tags
    vmSize: gpuVmSize
  }
  dependsOn: [cluster]
}

module federation '../bicep/federation.bicep' = {
  scope: group
  params: {
    issuer: cluster.outputs.issuer
    named: named
    namespace: namespace
  }
  dependsOn: [identities]
}

module access '../bicep/access.bicep' = {
  scope: group
  params: {
    deployerPrincipalId: principalId
    deployerPrincipalType: principalType
    grafanaPrincipalId: monitoring.outputs.grafanaPrincipalId
    kubeletPrincipalId: cluster.outputs.kubeletPrincipalId
    named: named
  }
  dependsOn: [identities, registry, storage, vaults]
}

// What azd itself reads.
output AZURE_LOCATION string = location
output AZURE_TENANT_ID string = tenant().tenantId
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_AKS_CLUSTER_NAME string = named.cluster
output AZURE_CONTAINER_REGISTRY_ENDPOINT string = registry.outputs.loginServer

// What the manifests and the hooks put into their place.
output TINYLLM_ACCOUNT_URI string = storage.outputs.accountUri
output TINYLLM_KEY_ACCOUNT_URI string = storage.outputs.keyAccountUri
output TINYLLM_SOFT_DELETE_DAYS int = settings.softDeleteDays
output TINYLLM_API_VAULT_URI string = vaults.outputs.apiUri
output TINYLLM_CORE_VAULT_URI string = vaults.outputs.coreUri
output TINYLLM_GPU_VAULT_URI string = vaults.outputs.gpuUri
output TINYLLM_API_CLIENT_ID string = identities.outputs.apiClientId
output TINYLLM_CORE_CLIENT_ID string = identities.outputs.coreClientId
output TINYLLM_GPU_CLIENT_ID string = identities.outputs.gpuClientId
output TINYLLM_SCALER_CLIENT_ID string = identities.outputs.scalerClientId
output TINYLLM_PROMETHEUS_ENDPOINT string = monitoring.outputs.prometheusEndpoint
output TINYLLM_GRAFANA_ENDPOINT string = monitoring.outputs.grafanaEndpoint
output TINYLLM_HOST_NAME string = hostName
output TINYLLM_GPU_POOL string = hasGpuPool ? 'gpu' : 'core'
output TINYLLM_GPUS_PER_POD int = hasGpuPool ? 1 : 0
// A pod with an accelerator has a node to itself, and there may be no second one for its successor: the old one goes first.
output TINYLLM_GPU_MAX_SURGE int = hasGpuPool ? 0 : 1
output TINYLLM_GPU_MAX_UNAVAILABLE int = hasGpuPool ? 1 : 0
output TINYLLM_GPU_MIN_PODS int = hasGpuPool ? 0 : 1
output TINYLLM_GPU_MAX_PODS int = hasGpuPool ? gpuMaxNodes : settings.coreMaxNodes
