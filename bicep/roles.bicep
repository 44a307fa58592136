metadata description = 'The built-in roles that anything here is given, by the ids that Azure documents.'

@export()
var roles = {
  acrPull: '7f951dda-4ed3-4680-a7ca-43fe172d538d'
  acrPush: '8311e382-0749-4cb8-b61a-304f252e45ec'
  clusterAdmin: 'b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b'
  grafanaAdmin: '22926164-76b3-42b3-bc55-97df8dab3e41'
  monitoringDataReader: 'b0d8363b-8ddd-447d-831f-62ca05bff136'
  secretsOfficer: 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'
  secretsUser: '4633458b-17de-408a-b874-0445c86b69e6'
  storageBlobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
}
