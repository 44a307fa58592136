import { names } from 'names.bicep'

metadata description = 'Logs (Log Analytics), metrics (managed Prometheus) and pictures of them (managed Grafana).'

param location string
param tags { *: string }
param named names
param logDays int

resource logs 'Microsoft.OperationalInsights/workspaces@2026-03-01' = {
  name: named.logs
  location: location
  tags: tags
  properties: {
    features: {
      disableLocalAuth: true
    }
    retentionInDays: logDays
    sku: {
      name: 'PerGB2018'
    }
  }
}

resource metrics 'Microsoft.Monitor/accounts@2025-10-03' = {
  name: named.metrics
  location: location
  tags: tags
}

resource grafana 'Microsoft.Dashboard/grafana@2025-08-01' = {
  name: named.grafana
  location: location
  tags: tags
  sku: {
    name: 'Standard'
  }
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    apiKey: 'Disabled'
    grafanaIntegrations: {
      azureMonitorWorkspaceIntegrations: [
        {
          azureMonitorWorkspaceResourceId: metrics.id
        }
      ]
    }
  }
}

output prometheusEndpoint string = metrics.properties.metrics.prometheusQueryEndpoint
output grafanaPrincipalId string = grafana.identity.principalId
output grafanaEndpoint string = grafana.properties.endpoint
