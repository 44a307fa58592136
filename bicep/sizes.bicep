metadata description = 'Two sizes of a deployment: small costs as little as works, production survives the loss of a zone.'

@export()
type size = {
  clusterTier: 'Free' | 'Standard'
  zones: string[]
  systemVmSize: string
  systemNodes: int
  coreVmSize: string
  coreMinNodes: int
  coreMaxNodes: int
  storageSku: 'Standard_LRS' | 'Standard_ZRS'
  softDeleteDays: int
  registrySku: 'Basic' | 'Standard'
  redisSku: 'Balanced_B0' | 'Balanced_B3'
  redisHighAvailability: 'Disabled' | 'Enabled'
  logDays: int
}

@export()
var sizes = {
  small: {
    clusterTier: 'Free'
    zones: []
    systemVmSize: 'Standard_D2as_v6'
    systemNodes: 1
    coreVmSize: 'Standard_D4as_v6'
    coreMinNodes: 1
    coreMaxNodes: 3
    storageSku: 'Standard_LRS'
    softDeleteDays: 7
    registrySku: 'Basic'
    redisSku: 'Balanced_B0'
    redisHighAvailability: 'Disabled'
    logDays: 30
  }
  production: {
    clusterTier: 'Standard'
    zones: ['1', '2', '3']
    systemVmSize: 'Standard_D4as_v6'
    systemNodes: 3
    coreVmSize: 'Standard_D8as_v6'
    coreMinNodes: 3
    coreMaxNodes: 12
    storageSku: 'Standard_ZRS'
    softDeleteDays: 14
    registrySku: 'Standard'
    redisSku: 'Balanced_B3'
    redisHighAvailability: 'Enabled'
    logDays: 90
  }
}
