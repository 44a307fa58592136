import { names } from 'names.bicep'

metadata description = 'Where the images lie. Nobody signs in with a password.'

param location string
param tags { *: string }
param named names
param sku string

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' = {
  name: named.registry
  location: location
  tags: tags
  sku: {
    name: sku
  }
  properties: {
    adminUserEnabled: false
    anonymousPullEnabled: false
  }
}

output loginServer string = registry.properties.loginServer
